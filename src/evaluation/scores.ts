import type { Registry } from "../kinds.ts";
import type { EvaluationResult } from "./contracts.ts";
import type { Better } from "./metrics/contracts.ts";

/** The loss on the validation split, by which a run may be judged as by a metric. */
export const lossScore = "val_loss";

/** Names that no metric can have: logs call the loss so. */
export function isReservedScore(name: string): boolean {
  return name === lossScore || name === "loss";
}

/** Which of two scores of this name is better. @throws SegfuseError `SEGFUSE_UNKNOWN_COMPONENT` */
export function betterOf(registry: Registry, name: string): Better {
  return name === lossScore ? "lower" : (registry.get("metric", name).better ?? "higher");
}

/** NaN where it is not defined or was not counted. */
export function scoreOf(result: EvaluationResult, name: string): number {
  return (name === lossScore ? result.loss : result.metrics[name]) ?? NaN;
}

/** Whether a score is better than another by more than `minDelta`; NaN is better than nothing, null worse than any number. */
export function isBetter(better: Better, value: number, than: number | null, minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (than === null) return true;
  return better === "lower" ? value < than - minDelta : value > than + minDelta;
}
