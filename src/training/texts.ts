import type { EvaluationResult } from "../evaluation/contracts.ts";
import { formatDuration } from "../util/duration.ts";
import type { MeterReading } from "./meter.ts";

/** `iter 50/300  loss 1.2340 (aux.loss_ce 0.4110, decode.loss_ce 0.8230)  lr 9.10e-3  0.52 s/iter, 3 % waiting for data, 2 min left` */
export function formatTraining(
  line: MeterReading & { done: number; iterations: number; lr: number; etaSeconds: number },
): string {
  const { loss, ...parts } = line.losses;
  const shown = Object.entries(parts).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [
    `iter ${line.done}/${line.iterations}`,
    `loss ${loss?.toFixed(4)}${shown.length > 1 ? ` (${shown.join(", ")})` : ""}`,
    `lr ${line.lr.toExponential(2)}`,
    [
      `${line.secondsPerIteration.toFixed(2)} s/iter`,
      `${Math.round(100 * line.dataWaitShare)} % waiting for data`,
      `${formatDuration(line.etaSeconds)} left`,
    ].join(", "),
  ].join("  ");
}

/** `val at 5000: mIoU 34.20, mAcc 45.10, aAcc 80.00, loss 0.6123 (101 images, 12 s)`, metrics in per cent; with
 * `over 2 of 3 classes` where a class is in no label and no prediction. */
export function formatScores(title: string, result: EvaluationResult, metrics: readonly string[]): string {
  const shown = metrics.map((name) => {
    const value = result.metrics[name];
    return `${name} ${value === undefined || Number.isNaN(value) ? "–" : (100 * value).toFixed(2)}`;
  });
  const { absentClasses: absent, perClass } = result;
  if (absent.length > 0) shown.push(`over ${perClass.length - absent.length} of ${perClass.length} classes`);
  if (result.loss !== null) shown.push(`loss ${result.loss.toFixed(4)}`);
  return `${title}: ${shown.join(", ")} (${result.images} images, ${formatDuration(result.seconds)})`;
}
