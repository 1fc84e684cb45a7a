import { Type } from "typebox";
import { defineTransform, type Sample, type Transform } from "../contracts.ts";
import type { Random } from "../../util/random.ts";
import { channelsOf } from "../sample.ts";

/** Adds one random number to each channel of the whole image (paper 4.1: from [-10, 10]). Nothing is clipped. */
export default defineTransform({
  type: "color_jitter",
  paper: "4.1",
  description: "adds one random number to each channel",
  schema: Type.Object({
    shift: Type.Number({
      minimum: 0,
      maximum: 65_535,
      default: 10,
      description:
        "the numbers are uniform in [-shift, shift], of 0..255; where model.preprocess.bits is 16, of 0..65535",
    }),
  }),
  create: ({ shift }) => new ColorJitter(shift),
});

class ColorJitter implements Transform {
  constructor(private readonly shift: number) {}

  apply(sample: Sample, random: Random): Sample {
    const channels = channelsOf(sample);
    const image = new Float32Array(sample.image.length);
    for (let c = 0; c < channels; c++) {
      const shift = random.between(-this.shift, this.shift);
      for (let k = c; k < image.length; k += channels) image[k] = sample.image[k]! + shift;
    }
    return { ...sample, image };
  }
}
