import { Type } from "typebox";
import { Meter } from "../meter.ts";
import { defineHook, type Hook, type HookContext } from "./contracts.ts";

/** Tells the caller of `train` (the command line's progress bar) where the run stands after each update. */
export default defineHook({
  type: "progress",
  description: "Feeds the progress bar after each update.",
  stage: "log",
  schema: Type.Object({}),
  create: (_options, context): Hook => (context.onProgress === undefined ? {} : progressHook(context)),
});

function progressHook({ run, loaded, onProgress }: HookContext): Hook {
  const { interval } = loaded.config.log;
  const meter = new Meter();
  return {
    afterUpdate(update) {
      meter.add(update);
      const { iteration } = update;
      const { secondsPerIteration, dataWaitShare } = meter.read();
      onProgress?.({
        phase: "train",
        iteration,
        iterations: run.iterations,
        loss: update.losses.loss ?? null,
        lr: update.lr,
        secondsPerIteration,
        dataWaitShare,
        etaSeconds: (run.iterations - iteration) * secondsPerIteration,
      });
      if (iteration % interval === 0) meter.reset();
    },
  };
}
