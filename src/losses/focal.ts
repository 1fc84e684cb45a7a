import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { customOp } from "../engine/custom_op.ts";
import type { ComponentRule } from "../registry/record.ts";
import { defineLoss, type Loss, type LossInputs } from "./contracts.ts";
import {
  classWeightsOption,
  classWeightsRule,
  labelMasks,
  perClassFinding,
  requirePerClass,
  weighted,
  weightOption,
} from "./options.ts";

const share = Type.Number({ minimum: 0, maximum: 1 });
const Options = Type.Object({
  ...weightOption,
  ...classWeightsOption("each class"),
  gamma: Type.Number({
    minimum: 0,
    default: 2,
    description: "how much less a pixel counts the surer it is right; 0: all alike",
  }),
  alpha: Type.Union([share, Type.Array(share, { minItems: 1 })], {
    default: 0.5,
    description: "weight of pixels of a class against 1 − alpha for all others; one number, or one per class",
  }),
  avg_non_ignore: Type.Boolean({
    default: true,
    description: "average over the labelled pixels; false: over all pixels, ignored ones included",
  }),
});

/** Alphas in a list are one number a class. */
const alphaRule: ComponentRule<Static<typeof Options>> = {
  code: "SEGFUSE_CLASS_WEIGHTS",
  *check({ alpha }, { classes }) {
    if (Array.isArray(alpha))
      yield* perClassFinding("alpha", alpha, classes, "alpha does not fit the classes");
  },
};

/**
 * Focal loss (Lin et al. 2017, Eq. 5) as mmsegmentation's: every class is a decision of its own with a sigmoid,
 * `−α_t · (1 − p_t)^γ · log p_t`, averaged over pixels and classes. mmsegmentation's own average is that of
 * `avg_non_ignore: false`. 0 where every pixel is ignored.
 */
export default defineLoss({
  type: "focal",
  description: "sigmoid focal loss of each pixel and class, with ignored pixels",
  schema: Options,
  rules: [classWeightsRule, alphaRule],
  create: (options, inputs) => new Focal(options, inputs),
});

class Focal implements Loss {
  readonly name = "loss_focal";

  constructor(
    private readonly options: Static<typeof Options>,
    private readonly inputs: LossInputs,
  ) {
    const { class_weights, alpha } = options;
    requirePerClass(class_weights, inputs.numClasses, "class_weights of a focal loss");
    requirePerClass(
      Array.isArray(alpha) ? alpha : null,
      inputs.numClasses,
      "alpha of a focal loss",
      "alpha does not fit the classes",
    );
  }

  forward(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { alpha, gamma, class_weights, avg_non_ignore, weight } = this.options;
    const { numClasses, ignoreIndex } = this.inputs;
    const [loss] = customOp(
      { logits },
      (save) => {
        const { oneHot, labelled } = labelMasks(labels, numClasses, ignoreIndex);
        const x = tf.reshape(logits, oneHot.shape);
        const positive = tf.tensor1d(Array.isArray(alpha) ? alpha : Array<number>(numClasses).fill(alpha));
        // +1 for the pixel's class, −1 for every other: p_t = sigmoid(sign · x).
        const sign = tf.sub(tf.mul(oneHot, 2), 1);
        const classFactor = class_weights === null ? tf.scalar(1) : tf.tensor1d(class_weights);
        const alphaT = tf.add(tf.sub(1, positive), tf.mul(oneHot, tf.sub(tf.mul(positive, 2), 1)));
        const pixels = avg_non_ignore ? tf.maximum(tf.sum(labelled), 1) : tf.scalar(labels.size);
        const factor = tf.div(tf.mul(tf.mul(alphaT, classFactor), labelled), tf.mul(pixels, numClasses));

        const z = tf.mul(sign, x);
        // log p = −softplus(−z) = min(z, 0) − log(1 + e^−|z|), exact for large |z|; p and 1 − p without cancellation.
        const logP = tf.sub(tf.minimum(z, 0), tf.log1p(tf.exp(tf.neg(tf.abs(z)))));
        const [p, q] = [tf.sigmoid<Tensor>(z), tf.sigmoid<Tensor>(tf.neg(z))];
        const modulation = tf.pow(q, gamma);
        // d/dz (−q^γ · log p) = γ · q^γ · p · log p − q^(γ+1)
        const slope = tf.mul(modulation, tf.sub(tf.mul(tf.mul(p, logP), gamma), q));
        save([tf.reshape(tf.mul(tf.mul(slope, sign), factor), logits.shape)]);
        return [tf.neg(tf.sum(tf.mul(tf.mul(modulation, logP), factor)))];
      },
      ([dy], [slope]) => [tf.mul(slope!, dy!)],
    );
    return weighted(loss as Scalar, weight);
  }
}
