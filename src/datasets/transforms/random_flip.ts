import { Type } from "typebox";
import { defineTransform, type Sample, type Transform } from "../contracts.ts";
import type { Random } from "../../util/random.ts";
import { channelsOf } from "../sample.ts";

/** Mirrors image and label left to right. */
export default defineTransform({
  type: "random_flip",
  paper: "4.1",
  description: "mirrors image and label left to right",
  schema: Type.Object({
    probability: Type.Number({ minimum: 0, maximum: 1, default: 0.5, description: "how often" }),
  }),
  create: ({ probability }) => new RandomFlip(probability),
});

class RandomFlip implements Transform {
  constructor(private readonly probability: number) {}

  apply(sample: Sample, random: Random): Sample {
    if (random.uniform() >= this.probability) return sample;
    const { valid, width, labelWidth } = sample;
    const channels = channelsOf(sample);
    const image = new Float32Array(sample.image.length);
    for (let row = 0; row < image.length; row += width * channels)
      for (let from = row, to = row + (width - 1) * channels; to >= row; from += channels, to -= channels)
        for (let c = 0; c < channels; c++) image[to + c] = sample.image[from + c]!;
    const label = sample.label.slice();
    for (let row = 0; row < label.length; row += labelWidth) label.subarray(row, row + labelWidth).reverse();
    return { ...sample, image, label, valid: { ...valid, left: width - valid.left - valid.width } };
  }
}
