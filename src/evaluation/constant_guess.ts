import type { ConstantGuess } from "./contracts.ts";
import { classAccuracy } from "./metrics/mean_accuracy.ts";
import { classIou } from "./metrics/mean_iou.ts";
import { classCounts, nanMean, sum } from "./metrics/parts.ts";
import { pixelAccuracy } from "./metrics/pixel_accuracy.ts";

/**
 * What the commonest class of the labels scores as the answer for every pixel: the least that a trained
 * network must beat. The first such class where several are equally common; null without labelled pixels.
 */
export function constantGuess(confusion: readonly (readonly number[])[]): ConstantGuess | null {
  const labels = confusion.map((row) => sum(row));
  const most = Math.max(0, ...labels);
  if (most === 0) return null;
  const guess = labels.indexOf(most);
  const guessed = labels.map((label) => labels.map((_, prediction) => (prediction === guess ? label : 0)));
  const counts = classCounts(guessed);
  const [mIoU, mAcc] = [nanMean(counts.map(classIou)), nanMean(counts.map(classAccuracy))];
  return { class: guess, mIoU, mAcc, aAcc: pixelAccuracy(counts) };
}
