import type { Preprocess } from "../../datasets/pipeline.ts";
import type { SplitCheck } from "../../datasets/check.ts";

/** Normalised, images have a mean near 0 and a deviation near 1: what lies so far away has other units. */
const farMean = 10;
const farRatio = 50;

/**
 * A warning where `model.preprocess` is not in the units of images of 16 bits; none where it may be. (Of 8 bits the units
 * are certain, and a rule of the config looks at them.)
 */
export function valueWarnings({ split, values, checked }: SplitCheck, preprocess: Preprocess): string[] {
  const { mean, std, bits = 8 } = preprocess;
  if (values === null || bits === 8) return [];
  const isFar = values.mean.some((value, c) => {
    const ratio = values.std[c]! / std[c]!;
    return Math.abs(value - mean[c]!) > farMean * std[c]! || ratio > farRatio || ratio < 1 / farRatio;
  });
  if (!isFar) return [];
  const images = checked === 1 ? "an image" : `${checked} images`;
  return [
    `model.preprocess has mean ${list(mean)}, std ${list(std)}, and ${images} of split "${split}" have ` +
      `mean ${list(values.mean)}, std ${list(values.std)}: both are of the files' own values, 0 to 65535`,
  ];
}

function list(numbers: readonly number[]): string {
  return JSON.stringify(numbers.map((number) => Number(number.toPrecision(4))));
}
