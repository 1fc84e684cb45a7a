/** What the metrics of one class are made from. Whole numbers. */
export interface ClassCounts {
  /** Pixels with this label and this prediction. */
  readonly intersection: number;
  /** Pixels with this prediction whose label counts. */
  readonly prediction: number;
  /** Pixels with this label. */
  readonly label: number;
}

/** One class's scores, as fractions. NaN where a score is not defined. */
export interface ClassMetrics {
  /** Intersection over union: I / (P + L − I); NaN where the class is in no label and no prediction. */
  readonly IoU: number;
  /** Share of the label's pixels that were found: I / L; NaN where the class is in no label. The class's recall. */
  readonly Acc: number;
  /** 2 I / (P + L); NaN as for IoU. */
  readonly Dice: number;
  /** I / P; NaN where the class is in no prediction. */
  readonly Precision: number;
  /** The same as Acc, under the name that is usual beside precision. */
  readonly Recall: number;
  /** (1 + β²) I / (β² L + P); NaN as for IoU. With β = 1 it is Dice. */
  readonly Fscore: number;
}

/** Names of the metrics that a whole evaluation has; a config's `evaluation.metrics` and `checkpoint.best` use them. */
export const metricNames = [
  "mIoU",
  "mAcc",
  "aAcc",
  "fwIoU",
  "mDice",
  "mFscore",
  "mPrecision",
  "mRecall",
  "kappa",
  "mBIoU",
] as const;
export type MetricName = (typeof metricNames)[number];

/** Scores of a whole evaluation, as fractions; `mBIoU` (boundary IoU) only where it was asked for. */
export type Metrics = Record<Exclude<MetricName, "mBIoU">, number> & { mBIoU?: number };

/** What a constant guess of the commonest class of the evaluated labels scores. */
export interface ConstantGuess {
  readonly class: number;
  readonly mIoU: number;
  readonly mAcc: number;
  readonly aAcc: number;
}

/** Counts of each class from a confusion matrix [label][prediction]. */
export function classCounts(confusion: readonly (readonly number[])[]): ClassCounts[] {
  return confusion.map((row, c) => ({
    intersection: row[c]!,
    prediction: sum(confusion.map((other) => other[c]!)),
    label: sum(row),
  }));
}

/** The scores of each class. `beta` is the F-score's (1: precision and recall weigh the same). */
export function classMetrics(counts: readonly ClassCounts[], beta = 1): ClassMetrics[] {
  return counts.map(({ intersection, prediction, label }) => ({
    IoU: ratio(intersection, prediction + label - intersection),
    Acc: ratio(intersection, label),
    Dice: ratio(2 * intersection, prediction + label),
    Precision: ratio(intersection, prediction),
    Recall: ratio(intersection, label),
    Fscore: ratio((1 + beta * beta) * intersection, beta * beta * label + prediction),
  }));
}

/**
 * The scores of a whole evaluation from its confusion matrix [label][prediction]. Means are over the classes
 * for which a score is defined (as mmsegmentation's nanmean): a class that occurs in no label and no
 * prediction is in none of them.
 */
export function overallMetrics(confusion: readonly (readonly number[])[], beta = 1): Metrics {
  const counts = classCounts(confusion);
  const classes = classMetrics(counts, beta);
  const pixels = sum(counts.map((c) => c.label));
  const accuracy = ratio(sum(counts.map((c) => c.intersection)), pixels);
  const chance = ratio(sum(counts.map((c) => c.label * c.prediction)), pixels * pixels);
  return {
    mIoU: nanMean(classes.map((c) => c.IoU)),
    mAcc: nanMean(classes.map((c) => c.Acc)),
    aAcc: accuracy,
    fwIoU: ratio(sum(counts.map((c, i) => (c.label === 0 ? 0 : c.label * classes[i]!.IoU))), pixels),
    mDice: nanMean(classes.map((c) => c.Dice)),
    mFscore: nanMean(classes.map((c) => c.Fscore)),
    mPrecision: nanMean(classes.map((c) => c.Precision)),
    mRecall: nanMean(classes.map((c) => c.Recall)),
    kappa: ratio(accuracy - chance, 1 - chance),
  };
}

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
  const { mIoU, mAcc, aAcc } = overallMetrics(guessed);
  return { class: guess, mIoU, mAcc, aAcc };
}

/** The mean of the values that are numbers; NaN where there is none. */
export function nanMean(values: readonly number[]): number {
  const defined = values.filter((value) => !Number.isNaN(value));
  return ratio(sum(defined), defined.length);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** NaN, never an infinity, where the denominator is 0. */
function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? NaN : numerator / denominator;
}
