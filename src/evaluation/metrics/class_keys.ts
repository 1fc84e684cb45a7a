/**
 * Where the scores by class of the metrics that every reader knows stand, in the order of `report.json`; those of all
 * others stand by their names under `extra`.
 */
export const classKeys = {
  mIoU: "IoU",
  mAcc: "Acc",
  mDice: "Dice",
  mPrecision: "Precision",
  mRecall: "Recall",
  mFscore: "Fscore",
  mBIoU: "BIoU",
} as const;

export type ClassKey = (typeof classKeys)[keyof typeof classKeys];

/** The key of a metric's scores by class; null: they stand under `extra`. */
export function classKeyOf(metric: string): ClassKey | null {
  return metric in classKeys ? classKeys[metric as keyof typeof classKeys] : null;
}
