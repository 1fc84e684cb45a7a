import type { Rule } from "./rule.ts";

/** Mean and standard deviation are one number a channel, of pixels from 0 to 255. */
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
    const { mean, std } = model.preprocess;
    if (std.every((number) => number >= 1) || Math.max(...mean.map(Math.abs), ...std) > 1) return;
    yield {
      path: ["model", "preprocess", "std"],
      message: "mean and std are those of pixels from 0 to 1",
      expected: "those of pixels from 0 to 255, which is what images are read as",
      found: JSON.stringify(std),
      advice: JSON.stringify(std.map((number) => Number((number * 255).toPrecision(6)))),
    };
  },
};
