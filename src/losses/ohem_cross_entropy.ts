import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { softmaxCrossEntropy, type PixelLosses } from "../engine/ops/index.ts";
import { defineLoss, type Loss, type LossInputs } from "./contracts.ts";
import { classWeightsOption, classWeightsRule, requirePerClass, weighted, weightOption } from "./options.ts";

const Options = Type.Object({
  ...weightOption,
  ...classWeightsOption("the pixels of each class"),
  thresh: Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 1 }), Type.Null()], {
    default: 0.7,
    description:
      "pixels whose own class has less than this probability are hard; null: the min_kept with the highest loss",
  }),
  min_kept: Type.Integer({
    minimum: 0,
    default: 100_000,
    description: "pixels per image that are kept at least (with thresh: null, exactly)",
  }),
  average: Type.Union([Type.Literal("labelled"), Type.Literal("all"), Type.Literal("kept")], {
    default: "labelled",
    description:
      "what the kept pixels' sum is divided by: the labelled pixels (mmsegmentation with avg_non_ignore), all pixels (its default), or the kept ones (HRNet)",
  }),
});

/**
 * Cross-entropy with online hard example mining (Shrivastava et al. 2016) of pixels, as mmsegmentation's
 * OHEMPixelSampler: over the whole batch, either all pixels below a probability and at least `min_kept` per image,
 * or exactly that many of the highest loss. 0 where every pixel is ignored.
 */
export default defineLoss({
  type: "ohem_cross_entropy",
  description: "softmax cross-entropy of the hard pixels alone",
  schema: Options,
  rules: [classWeightsRule],
  create: (options, inputs) => new OhemCrossEntropy(options, inputs),
});

class OhemCrossEntropy implements Loss {
  readonly name = "loss_ohem";

  constructor(
    private readonly options: Static<typeof Options>,
    private readonly inputs: LossInputs,
  ) {
    requirePerClass(options.class_weights, inputs.numClasses, "class_weights of an ohem_cross_entropy loss");
  }

  forward(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { thresh, min_kept, class_weights, average, weight } = this.options;
    const kept = min_kept * labels.shape[0];
    const loss = softmaxCrossEntropy(logits, labels, {
      ignoreIndex: this.inputs.ignoreIndex,
      classWeights: class_weights === null ? null : tf.tensor1d(class_weights, "float32"),
      avgNonIgnore: average !== "all",
      hard: {
        choose: (pixels) => (thresh === null ? highest(pixels, kept) : unsure(pixels, kept, thresh)),
        average: average === "kept",
      },
    });
    return weighted(loss, weight);
  }
}

/**
 * 1 for pixels whose label's probability lies below the threshold, or below that of the pixel at place `kept` in
 * rising order where this is higher. In terms of losses, −log of the probabilities, the order is the reverse.
 */
function unsure({ losses, labelled }: PixelLosses, kept: number, thresh: number): Tensor1D {
  const among = tf.sub(tf.mul(losses, labelled), tf.sub(1, labelled)); // ignored: −1, below every loss
  const { values } = tf.topk(among, Math.min(kept, losses.size - 1) + 1);
  const atPlace = tf.slice(values as Tensor1D, [values.size - 1], [1]);
  const least = tf.min(tf.where(tf.greater(labelled, 0), losses, tf.fill(losses.shape, Infinity)));
  const limit = tf.minimum(tf.where(tf.less(atPlace, 0), least, atPlace), -Math.log(thresh));
  return tf.mul(tf.cast(tf.greater(losses, limit), "float32"), labelled);
}

/** 1 for the `kept` labelled pixels of the highest weighted loss. */
function highest({ losses, labelled, weights }: PixelLosses, kept: number): Tensor1D {
  const count = Math.min(kept, losses.size);
  if (count === 0) return tf.zerosLike(losses);
  const among = tf.sub(tf.mul(losses, weights), tf.sub(1, labelled));
  const { indices } = tf.topk(among, count);
  const chosen = tf.scatterND(tf.expandDims(indices, 1), tf.ones([count]), [losses.size]);
  return tf.mul(chosen, labelled);
}
