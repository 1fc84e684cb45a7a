import type { Rule } from "./rule.ts";

/** Mean and standard deviation are one number a channel. */
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
  },
};
