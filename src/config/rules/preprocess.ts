import type { Rule } from "./rule.ts";

/** Mean and standard deviation are one number a channel, of pixels as they are read. */
export const preprocess: Rule = {
  code: "SEGFUSE_PREPROCESS",
  *check({ model }) {
    for (const key of ["mean", "std"] as const) {
      const numbers = model.preprocess[key];
      if (numbers.length === model.in_channels) continue;
      yield {
        path: ["model", "preprocess", key],
        message: `'${key}' does not fit the image's channels`,
        expected: `${model.in_channels} numbers, one per channel (model.in_channels)`,
        found: `${numbers.length}`,
      };
    }
    const { mean, std, bits } = model.preprocess;
    const isOfOne = std.some((number) => number < 1) && Math.max(...mean.map(Math.abs), ...std) <= 1;
    if (isOfOne && bits === 8)
      yield {
        path: ["model", "preprocess", "std"],
        message: "mean and std are those of pixels from 0 to 1",
        expected: "those of pixels from 0 to 255, which is what images are read as",
        found: JSON.stringify(std),
        advice: JSON.stringify(std.map((number) => Number((number * 255).toPrecision(6)))),
      };
    if (isOfOne && bits === 16)
      yield {
        path: ["model", "preprocess", "std"],
        message: "mean and std are those of pixels from 0 to 1",
        expected: "those of the files' own values, from 0 to 65535 (model.preprocess.bits: 16)",
        found: JSON.stringify(std),
        advice: "both times what the values had been divided by, such as 65535 or 10000",
      };
    if (bits === 16 && (isImageNet(mean, imageNet.mean) || isImageNet(std, imageNet.std)))
      yield {
        path: ["model", "preprocess", isImageNet(mean, imageNet.mean) ? "mean" : "std"],
        message: "mean and std are ImageNet's, of pixels from 0 to 255",
        expected: "those of the files' own values, from 0 to 65535 (model.preprocess.bits: 16)",
        found: JSON.stringify(isImageNet(mean, imageNet.mean) ? mean : std),
        advice: "the data set's own; train --check tells what its images have",
      };
  },
};

/** The defaults: nobody's images of 16 bits. */
const imageNet = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };

function isImageNet(numbers: readonly number[], theirs: readonly number[]): boolean {
  return theirs.every((number, c) => Math.abs((numbers[c] ?? NaN) - number) < 0.1);
}
