import type { MetricRecord } from "./contracts.ts";
import frequencyWeightedIou from "./frequency_weighted_iou.ts";
import kappa from "./kappa.ts";
import meanAccuracy from "./mean_accuracy.ts";
import meanBoundaryIou from "./mean_boundary_iou.ts";
import meanDice from "./mean_dice.ts";
import meanFscore from "./mean_fscore.ts";
import meanIou from "./mean_iou.ts";
import meanPrecision from "./mean_precision.ts";
import meanRecall from "./mean_recall.ts";
import pixelAccuracy from "./pixel_accuracy.ts";

/** The built-in metrics. Every evaluation has them all; boundary IoU, which takes long to count, on request alone. */
export const metrics: readonly MetricRecord[] = [
  meanIou,
  meanAccuracy,
  pixelAccuracy,
  frequencyWeightedIou,
  meanDice,
  meanFscore,
  meanPrecision,
  meanRecall,
  kappa,
  meanBoundaryIou,
];
