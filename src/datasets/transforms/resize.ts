import { Type } from "typebox";
import { type DeferredSample, defineTransform } from "../contracts.ts";
import { undeferred } from "../sample.ts";
import { GeometricTransform } from "./geometric.ts";

const length = Type.Integer({ minimum: 1, maximum: 65_536 });

/** Resizes to a fixed size. For evaluation `label: false` keeps the label's own size, at which predictions are scored. */
export default defineTransform({
  type: "resize",
  description: "resizes to a fixed size; at evaluation the image alone (label: false)",
  schema: Type.Object({
    size: Type.Tuple([length, length], {
      description: "[height, width]; the aspect ratio is not kept",
    }),
    label: Type.Boolean({
      default: true,
      description: "whether the label is resized too; false: the image alone, for evaluation",
    }),
  }),
  size: ({ size }) => size,
  create: ({ size: [height, width], label }) => new Resize(height, width, label),
});

class Resize extends GeometricTransform {
  constructor(
    private readonly height: number,
    private readonly width: number,
    private readonly label: boolean,
  ) {
    super();
  }

  applyDeferred(sample: DeferredSample): DeferredSample {
    const { height, width } = this;
    const labels = this.label ? { labelHeight: height, labelWidth: width } : {};
    return { ...undeferred(sample), height, width, ...labels };
  }
}
