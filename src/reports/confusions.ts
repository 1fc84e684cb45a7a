import type { Report } from "./schema.ts";
import { grouped, percent } from "./numbers.ts";
import type { Table } from "./table.ts";

/** A matrix of more classes than this can be neither read nor drawn with names. */
const mostClasses = 40;

/** How many pairs of classes are listed. */
const mostPairs = 20;

type Matrix = Report["confusion"];

/** The classes that a drawn confusion matrix has, by number, in their order. */
export interface ShownClasses {
  readonly shown: readonly number[];
  /** How many classes are in a label or a prediction. */
  readonly present: number;
}

/**
 * Which classes are worth drawing: all of a few, else those that occur in a label or a prediction; of many, those
 * with the most pixels in wrong cells.
 *
 * @param few up to so many, all are drawn
 */
export function shownClasses(confusion: Matrix, few: number): ShownClasses {
  const all = confusion.map((_, c) => c);
  const pixels = all.map((c) => sum(confusion[c]!) + sum(confusion.map((row) => row[c]!)));
  const present = all.filter((c) => pixels[c]! > 0);
  if (all.length <= few) return { shown: all, present: present.length };
  if (present.length <= mostClasses) return { shown: present, present: present.length };
  const wrong = all.map((c) => pixels[c]! - 2 * confusion[c]![c]!);
  const worst = present.toSorted((a, b) => wrong[b]! - wrong[a]!).slice(0, mostClasses);
  return { shown: worst.toSorted((a, b) => a - b), present: present.length };
}

/** The pairs of classes with the most wrong pixels, the most first. */
export function topConfusions({ confusion, dataset: { classes } }: Report): Table {
  const pairs = confusion.flatMap((row, label) => {
    const total = sum(row);
    return row.map((pixels, prediction) => ({ label, prediction, pixels, share: pixels / total }));
  });
  const worst = pairs
    .filter(({ label, prediction, pixels }) => label !== prediction && pixels > 0)
    .sort((a, b) => b.pixels - a.pixels)
    .slice(0, mostPairs);
  return {
    columns: [
      { header: "Label", align: "left" },
      { header: "Taken for", align: "left" },
      { header: "% of the label", align: "right" },
      { header: "Pixels", align: "right" },
    ],
    rows: worst.map(({ label, prediction, pixels, share }) => [
      classes[label]!,
      classes[prediction]!,
      percent(share),
      grouped(pixels),
    ]),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
