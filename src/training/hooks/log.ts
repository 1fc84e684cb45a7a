import * as tf from "@tensorflow/tfjs";
import { Type } from "typebox";
import { metricName } from "../../evaluation/metric_entry.ts";
import { Meter } from "../meter.ts";
import { formatScores, formatTraining } from "../texts.ts";
import { defineHook, type Hook, type HookContext } from "./contracts.ts";

/** A line of text and a `train` record each `log.interval` updates, and the scores of each evaluation. */
export default defineHook({
  type: "log",
  description: "Tells losses, learning rate and times each log.interval updates, and scores.",
  stage: "log",
  schema: Type.Object({}),
  create: (_options, context) => logHook(context),
});

function logHook({ run, loaded, logger }: HookContext): Hook {
  const { log, evaluation, data } = loaded.config;
  const meter = new Meter();
  return {
    async afterUpdate(update) {
      meter.add(update);
      const { iteration, lr } = update;
      const { iterations } = run;
      if (iteration % log.interval !== 0 && !run.isEnding) return;
      const reading = meter.read();
      meter.reset();
      const etaSeconds = (iterations - iteration) * reading.secondsPerIteration;
      logger.step(formatTraining({ done: iteration, iterations, lr, etaSeconds, ...reading }));
      await run.log({
        event: "train",
        iteration,
        ...reading.losses,
        lr,
        seconds_per_iteration: reading.secondsPerIteration,
        data_wait_share: reading.dataWaitShare,
        eta_seconds: etaSeconds,
        memory_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
        tensors: tf.memory().numTensors,
      });
    },
    async afterEvaluation({ iteration, result }) {
      const { split } = data.val;
      logger.info(formatScores(`${split} at ${iteration}`, result, evaluation.metrics.map(metricName)));
      await run.log({
        event: "evaluate",
        iteration,
        split,
        metrics: result.metrics,
        val_loss: result.loss,
        class_iou: Object.fromEntries(result.perClass.map(({ name, IoU }) => [name, IoU])),
        images: result.images,
        seconds: result.seconds,
      });
    },
  };
}
