import type { EvaluationResult } from "./contracts.ts";
import { metricNames, type MetricName } from "./metrics.ts";

/** What a run may be judged by while it trains: the metrics, and the loss on the validation split. */
export const scoreNames = [...metricNames, "val_loss"] as const;
export type ScoreName = MetricName | "val_loss";

/** NaN where it is not defined or was not counted. */
export function scoreOf(result: EvaluationResult, name: ScoreName): number {
  return (name === "val_loss" ? result.loss : result.metrics[name]) ?? NaN;
}

/** Whether a score is better than another by more than `minDelta`; NaN is better than nothing, null worse than any number. */
export function isBetter(name: ScoreName, value: number, than: number | null, minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (than === null) return true;
  return name === "val_loss" ? value < than - minDelta : value > than + minDelta;
}
