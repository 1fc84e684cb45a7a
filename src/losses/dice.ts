import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { defineLoss, type Loss, type LossInputs } from "./contracts.ts";
import {
  classWeightsOption,
  classWeightsRule,
  labelMasks,
  requirePerClass,
  weighted,
  weightOption,
} from "./options.ts";

const Options = Type.Object({
  ...weightOption,
  ...classWeightsOption("the loss of each class"),
  smooth: Type.Number({
    minimum: 0,
    default: 1,
    description: "added to the overlap and to the sizes: an absent class that is not predicted costs nothing",
  }),
  eps: Type.Number({
    exclusiveMinimum: 0,
    default: 1e-7,
    description: "the least that is divided by (where smooth is 0)",
  }),
  exponent: Type.Number({
    minimum: 1,
    default: 2,
    description:
      "of probabilities and labels in the sizes; 2: Milletari's V-Net, 1: the plain Dice coefficient",
  }),
  classes: Type.Union([Type.Literal("all"), Type.Literal("present")], {
    default: "all",
    description: "average over all classes, or over those with a labelled pixel",
  }),
  per_image: Type.Boolean({
    default: true,
    description: "a loss for each image, then their mean; false: one for the whole batch",
  }),
});

/**
 * Soft Dice loss (Milletari et al. 2016) of each class's probabilities:
 * `1 − (2·Σ p·t + smooth) / (Σ (pᵉ + tᵉ) + smooth)`, summed over the pixels that have a label; the mean over classes.
 *
 * As mmsegmentation 0.x; `{exponent: 1, smooth: 0, classes: present, per_image: false}` as
 * segmentation_models_pytorch, but for its mean, which counts absent classes as 0. An image (or batch) without a
 * label has loss 0.
 */
export default defineLoss({
  type: "dice",
  description: "soft Dice overlap of each class, with ignored pixels",
  schema: Options,
  rules: [classWeightsRule],
  create: (options, inputs) => new Dice(options, inputs),
});

class Dice implements Loss {
  readonly name = "loss_dice";

  constructor(
    private readonly options: Static<typeof Options>,
    private readonly inputs: LossInputs,
  ) {
    requirePerClass(options.class_weights, inputs.numClasses, "class_weights of a dice loss");
  }

  forward(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { smooth, eps, exponent, classes, per_image, class_weights, weight } = this.options;
    const { numClasses, ignoreIndex } = this.inputs;
    const { oneHot, labelled } = labelMasks(labels, numClasses, ignoreIndex);
    const [batch, pixels] = oneHot.shape as [number, number];
    const probabilities = tf.mul(tf.softmax(tf.reshape(logits, [batch, pixels, numClasses])), labelled);
    const axes = per_image ? [1] : [0, 1];
    const overlap = tf.sum(tf.mul(probabilities, oneHot), axes);
    const area = tf.sum(oneHot, axes); // a power of 0 or 1 is itself
    const sizes = tf.add(tf.sum(power(probabilities, exponent), axes), area);
    const score = tf.div(tf.add(tf.mul(overlap, 2), smooth), tf.maximum(tf.add(sizes, smooth), eps));
    const factors = class_weights === null ? null : tf.tensor1d(class_weights, "float32");
    const losses = tf.mul(tf.sub(1, score), factors ?? 1);
    // [batch, classes] or [classes]: which classes count, for each image.
    const hasLabels = tf.cast(tf.greater(tf.sum(area, -1, true), 0), "float32");
    const counts =
      classes === "present"
        ? tf.cast(tf.greater(area, 0), "float32")
        : tf.mul(tf.onesLike<Tensor>(area), hasLabels);
    const mean = tf.div(tf.sum(tf.mul(losses, counts), -1), tf.maximum(tf.sum(counts, -1), 1));
    return weighted(tf.mean(mean), weight);
  }
}

/** pᵉ; the common exponents without `pow`, whose gradient is slow. */
function power(p: Tensor, exponent: number): Tensor {
  if (exponent === 1) return p;
  return exponent === 2 ? tf.square(p) : tf.pow(p, exponent);
}
