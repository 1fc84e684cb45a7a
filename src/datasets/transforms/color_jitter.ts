import { Type } from "typebox";
import { defineTransform, type Sample, type Transform } from "../contracts.ts";
import type { Random } from "../../util/random.ts";

/** Adds one random number to each colour channel of the whole image (paper 4.1: from [-10, 10]). Nothing is clipped. */
export default defineTransform({
  type: "color_jitter",
  paper: "4.1",
  description: "adds one random number to each colour channel",
  schema: Type.Object({
    shift: Type.Number({
      minimum: 0,
      maximum: 255,
      default: 10,
      description: "the numbers are uniform in [-shift, shift], of 0..255",
    }),
  }),
  create: ({ shift }) => new ColorJitter(shift),
});

class ColorJitter implements Transform {
  constructor(private readonly shift: number) {}

  apply(sample: Sample, random: Random): Sample {
    const draw = () => random.between(-this.shift, this.shift);
    const [red, green, blue] = [draw(), draw(), draw()];
    const image = new Float32Array(sample.image.length);
    for (let k = 0; k < image.length; k += 3) {
      image[k] = sample.image[k]! + red;
      image[k + 1] = sample.image[k + 1]! + green;
      image[k + 2] = sample.image[k + 2]! + blue;
    }
    return { ...sample, image };
  }
}
