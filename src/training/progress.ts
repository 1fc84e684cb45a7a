/** Where a run stands, after each update and after each evaluated or predicted image. */
export interface RunProgress {
  readonly phase: "train" | "evaluate" | "predict";
  /** Updates done, or images. */
  readonly iteration: number;
  /** Updates of the whole run, or images of the split or the prediction. */
  readonly iterations: number;
  /** Of the newest update; null while evaluating before the first. */
  readonly loss: number | null;
  readonly lr: number | null;
  /** Mean over the last log interval (per image while evaluating). */
  readonly secondsPerIteration: number;
  /** Share of the time that training has waited for data, 0..1. */
  readonly dataWaitShare: number;
  /** Of this phase. */
  readonly etaSeconds: number;
}

export type ProgressCallback = (progress: RunProgress) => void;

/** Turns evaluated or predicted images into progress events. */
export class EvaluationClock {
  private readonly started = performance.now();

  constructor(
    private readonly onProgress: ProgressCallback | undefined,
    private readonly training: Pick<RunProgress, "loss" | "lr">,
    private readonly phase: RunProgress["phase"] = "evaluate",
  ) {}

  tick(done: number, total: number): void {
    const secondsPerIteration = (performance.now() - this.started) / 1000 / done;
    this.onProgress?.({
      phase: this.phase,
      iteration: done,
      iterations: total,
      ...this.training,
      secondsPerIteration,
      dataWaitShare: 0,
      etaSeconds: (total - done) * secondsPerIteration,
    });
  }
}
