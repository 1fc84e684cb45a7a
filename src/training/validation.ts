import { openEvaluationLoader, type EvaluationLoader } from "../datasets/loader.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import { lossScore } from "../evaluation/scores.ts";
import { checkStop } from "../util/interruption.ts";
import { decisiveScores } from "./metrics.ts";
import { EvaluationClock } from "./progress.ts";
import type { FinishedUpdate } from "../checkpoints/state.ts";
import type { Needs } from "./tokens.ts";

/** Evaluates a network in training on `data.val`, by the path that `segfuse test` takes. */
export class Validation {
  private loader: EvaluationLoader | undefined;

  constructor(private readonly parts: Needs<"loaded" | "segmentor" | "metrics" | "onProgress" | "stop">) {}

  /**
   * @param last what progress shows of training meanwhile
   * @throws RunStopped after the image at which the run was told to stop
   */
  async run(last: FinishedUpdate | null): Promise<EvaluationResult> {
    const { loaded, segmentor, metrics, onProgress, stop } = this.parts;
    const { config, registry } = loaded;
    this.loader ??= await openEvaluationLoader({ config, section: "val" });
    const clock = new EvaluationClock(onProgress, { loss: last?.losses.loss ?? null, lr: last?.lr ?? null });
    const isLossNeeded = config.evaluation.loss || decisiveScores(config, registry).includes(lossScore);
    return evaluate({
      segmentor,
      loader: this.loader,
      options: config.evaluation,
      metrics,
      loss: isLossNeeded ? (logits, labels) => segmentor.headLoss(logits, labels) : undefined,
      cropSize: config.data.crop_size,
      onImage: async (image) => {
        clock.tick(image.done, image.total);
        await new Promise(setImmediate);
        checkStop(stop);
      },
    });
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    await this.loader?.close();
  }
}
