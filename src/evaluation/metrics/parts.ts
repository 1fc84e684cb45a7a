import type { ClassCounts, Metric } from "./contracts.ts";

/**
 * The metric that is the mean of a score over the classes for which it is defined (as mmsegmentation's nanmean): a class
 * that is in no label and no prediction does not count.
 *
 * @param score of one class, a fraction; NaN where it is not defined
 */
export function meanOfClasses(score: (counts: ClassCounts) => number): Metric {
  return {
    compute: ({ counts }) => nanMean(counts.map(score)),
    perClass: ({ counts }) => counts.map(score),
  };
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
export function ratio(numerator: number, denominator: number): number {
  return denominator === 0 ? NaN : numerator / denominator;
}

/** Counts of each class from a confusion matrix [label][prediction]. */
export function classCounts(confusion: readonly (readonly number[])[]): ClassCounts[] {
  return confusion.map((row, c) => ({
    intersection: row[c]!,
    prediction: sum(confusion.map((other) => other[c]!)),
    label: sum(row),
  }));
}
