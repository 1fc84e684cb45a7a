import { Type } from "typebox";
import { SegfuseError } from "../../errors.ts";
import { type DeferredSample, defineTransform, type LabelData, type Sample } from "../contracts.ts";
import { labelValues } from "../label_array.ts";
import type { Random } from "../../util/random.ts";
import { settleWindow } from "../sample.ts";
import { GeometricTransform } from "./geometric.ts";

/** How often a crop is drawn again where one class fills too much of it (mmsegmentation's number). */
const attempts = 10;

const side = Type.Integer({ minimum: 1, maximum: 65_536 });

/**
 * Cuts a window of a fixed size at a uniform place. A smaller sample is padded at the bottom and the right:
 * the image with what becomes 0 after normalisation, the label with the ignore index.
 */
export default defineTransform({
  type: "random_crop",
  paper: "4.1",
  description: "cuts a random window, padded at the bottom and the right where the sample is smaller",
  schema: Type.Object({
    size: Type.Union([Type.Tuple([side, side]), Type.Null()], {
      default: null,
      description: "[height, width]; null: data.crop_size",
    }),
    cat_max_ratio: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1,
      description:
        "draw again, at most ten times, where one class has this share of the labelled pixels; 1: never",
    }),
  }),
  size: ({ size }, { cropSize }) => size ?? cropSize,
  create: ({ size, cat_max_ratio }, { cropSize, ignoreIndex }) =>
    new RandomCrop(size ?? cropSize, cat_max_ratio, ignoreIndex),
});

class RandomCrop extends GeometricTransform {
  constructor(
    private readonly size: readonly [number, number],
    private readonly maxRatio: number,
    private readonly ignoreIndex: number,
  ) {
    super();
  }

  applyDeferred(sample: DeferredSample, random: Random): Sample {
    if (sample.labelHeight !== sample.height || sample.labelWidth !== sample.width)
      throw new SegfuseError("SEGFUSE_DATA_OPTION", "random_crop needs an image and a label of one size", {
        where: sample.source.id,
        found: `an image of ${sample.width}x${sample.height}, a label of ${sample.labelWidth}x${sample.labelHeight}`,
        advice: "put `label: true` on the resize before it",
      });
    let crop = this.draw(sample, random);
    if (this.maxRatio < 1)
      for (let i = 0; i < attempts && this.isMonotonous(crop.label); i++) crop = this.draw(sample, random);
    return crop;
  }

  private draw(sample: DeferredSample, random: Random): Sample {
    const [height, width] = this.size;
    const window = {
      top: random.integer(Math.max(sample.height - height, 0) + 1),
      left: random.integer(Math.max(sample.width - width, 0) + 1),
      height: Math.min(sample.height, height),
      width: Math.min(sample.width, width),
    };
    return settleWindow(sample, window, { height, width }, this.ignoreIndex);
  }

  /** Whether one class fills the crop, or nothing in it is labelled. */
  private isMonotonous(label: LabelData): boolean {
    const counts = new Int32Array(labelValues(label));
    for (const k of label) counts[k] = counts[k]! + 1;
    counts[this.ignoreIndex] = 0;
    const total = counts.reduce((a, b) => a + b, 0);
    return counts.reduce((a, b) => Math.max(a, b), 0) >= total * this.maxRatio;
  }
}
