import { openEvaluationLoader, type EvaluationLoader } from "../datasets/loader.ts";
import type { Config } from "../config/sections.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { FinishedUpdate } from "./contracts.ts";
import type { ProgressCallback } from "./progress.ts";
import { EvaluationClock } from "./texts.ts";

/** Evaluates a network in training on `data.val`, by the path that `segfuse test` takes. */
export class Validation {
  private loader: EvaluationLoader | undefined;

  constructor(
    private readonly config: Config,
    private readonly segmentor: Segmentor,
    private readonly onProgress: ProgressCallback | undefined,
  ) {}

  /** @param last what progress shows of training meanwhile */
  async run(last: FinishedUpdate | null): Promise<EvaluationResult> {
    const { config, segmentor, onProgress } = this;
    this.loader ??= await openEvaluationLoader({ config, section: "val" });
    const clock = new EvaluationClock(onProgress, { loss: last?.losses.loss ?? null, lr: last?.lr ?? null });
    return evaluate({
      segmentor,
      loader: this.loader,
      options: withMetric(config.evaluation, config.checkpoint.best),
      cropSize: config.data.crop_size,
      onImage: async (image) => {
        clock.tick(image.done, image.total);
        await new Promise(setImmediate);
      },
    });
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    await this.loader?.close();
  }
}

/** The metric that decides must be counted, also where the config does not show it. */
function withMetric<T extends { readonly metrics: readonly string[] }>(options: T, metric: string | null): T {
  if (metric === null || options.metrics.includes(metric)) return options;
  return { ...options, metrics: [...options.metrics, metric] };
}
