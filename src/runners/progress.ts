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
