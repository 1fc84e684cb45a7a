import { openEvaluationLoader, type EvaluationLoader } from "../datasets/loader.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import type { MetricList } from "../evaluation/metric_list.ts";
import { lossScore } from "../evaluation/scores.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { checkStop } from "../util/interruption.ts";
import { decisiveScores } from "./metrics.ts";
import type { ProgressCallback } from "./progress.ts";
import { EvaluationClock } from "./progress.ts";
import type { FinishedUpdate } from "../checkpoints/state.ts";

/** Evaluates a network in training on `data.val`, by the path that `segfuse test` takes. */
export class Validation {
  private loader: EvaluationLoader | undefined;

  constructor(
    private readonly loaded: Pick<LoadedConfig, "config" | "registry">,
    private readonly segmentor: Segmentor,
    private readonly metrics: MetricList,
    private readonly onProgress: ProgressCallback | undefined,
    private readonly stop: AbortSignal | undefined,
  ) {}

  /**
   * @param last what progress shows of training meanwhile
   * @throws RunStopped after the image at which the run was told to stop
   */
  async run(last: FinishedUpdate | null): Promise<EvaluationResult> {
    const { segmentor, metrics, onProgress } = this;
    const { config, registry } = this.loaded;
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
        checkStop(this.stop);
      },
    });
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    await this.loader?.close();
  }
}
