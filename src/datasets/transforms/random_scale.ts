import { Type } from "typebox";
import { type DeferredSample, defineTransform } from "../contracts.ts";
import type { Random } from "../../util/random.ts";
import { undeferred } from "../sample.ts";
import { GeometricTransform } from "./geometric.ts";

const factor = Type.Number({ exclusiveMinimum: 0, maximum: 64 });

/** Resizes image and label by one random factor (paper 4.1: between 0.75 and 2). */
export default defineTransform({
  type: "random_scale",
  paper: "4.1",
  description: "resizes image and label by a factor drawn uniformly from a range",
  schema: Type.Object({
    range: Type.Tuple([factor, factor], {
      default: [0.75, 2.0],
      description: "smallest and largest factor",
    }),
  }),
  rules: [
    {
      *check({ range: [low, high] }) {
        if (low <= high) return;
        yield {
          path: ["range"],
          message: "the range of random_scale is empty",
          expected: "[smallest, largest]",
          found: `[${low}, ${high}]`,
        };
      },
    },
  ],
  create({ range: [low, high] }) {
    return new RandomScale(low, high);
  },
});

class RandomScale extends GeometricTransform {
  constructor(
    private readonly low: number,
    private readonly high: number,
  ) {
    super();
  }

  applyDeferred(deferred: DeferredSample, random: Random): DeferredSample {
    const sample = undeferred(deferred);
    const factor = random.between(this.low, this.high);
    // Rounded as mmcv does.
    const scale = (length: number) => Math.max(1, Math.floor(length * factor + 0.5));
    return {
      source: sample.source,
      height: scale(sample.height),
      width: scale(sample.width),
      labelHeight: scale(sample.labelHeight),
      labelWidth: scale(sample.labelWidth),
    };
  }
}
