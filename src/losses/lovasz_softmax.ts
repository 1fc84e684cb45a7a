import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { customOp } from "../engine/custom_op.ts";
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
  classes: Type.Union([Type.Literal("present"), Type.Literal("all")], {
    default: "present",
    description: "average over the classes with a labelled pixel, or over all",
  }),
  per_image: Type.Boolean({
    default: false,
    description: "a loss for each image, then their mean; false: one for the whole batch",
  }),
});

/**
 * Lovász-softmax loss (Berman et al. 2018): the Lovász extension of each class's Jaccard loss at the errors of
 * the softmax, averaged over classes; a direct surrogate of the mean IoU. 0 where every pixel is ignored.
 */
export default defineLoss({
  type: "lovasz_softmax",
  description: "Lovász-softmax: a surrogate of the mean IoU, with ignored pixels",
  schema: Options,
  rules: [classWeightsRule],
  create: (options, inputs) => new LovaszSoftmax(options, inputs),
});

class LovaszSoftmax implements Loss {
  readonly name = "loss_lovasz";

  constructor(
    private readonly options: Static<typeof Options>,
    private readonly inputs: LossInputs,
  ) {
    requirePerClass(options.class_weights, inputs.numClasses, "class_weights of a lovasz_softmax loss");
  }

  forward(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { per_image, weight } = this.options;
    const { numClasses, ignoreIndex } = this.inputs;
    const { oneHot, labelled } = labelMasks(labels, numClasses, ignoreIndex);
    const probabilities = tf.reshape(tf.softmax(logits), oneHot.shape);
    const images = per_image ? logits.shape[0] : 1;
    const part = (x: Tensor, i: number): Tensor2D =>
      tf.reshape(per_image ? tf.slice(x, [i, 0, 0], [1, -1, -1]) : x, [-1, x.shape.at(-1)!]);
    const losses = Array.from({ length: images }, (_, i) =>
      this.flat(part(probabilities, i), part(oneHot, i), part(labelled, i)),
    );
    return weighted(images === 1 ? losses[0]! : tf.mul(tf.addN(losses), 1 / images), weight);
  }

  /** Probabilities and one-hot labels [pixels, classes], mask [pixels, 1] → the mean over classes. */
  private flat(probabilities: Tensor2D, oneHot: Tensor2D, labelled: Tensor2D): Scalar {
    const [loss] = customOp(
      { probabilities },
      (save) => {
        const errors = tf.mul(tf.abs(tf.sub(oneHot, probabilities)), labelled);
        const slopes = this.slopes(errors, oneHot, labelled);
        save([tf.mul(slopes, tf.sign(tf.sub(probabilities, oneHot)))]);
        return [tf.sum(tf.mul(errors, slopes))];
      },
      ([dy], [slope]) => [tf.mul(slope!, dy!)],
    );
    return loss as Scalar;
  }

  /**
   * What each error is multiplied by [pixels, classes]: the Jaccard loss's increments along the errors in falling
   * order, class weights and the mean over classes included.
   */
  private slopes(errors: Tensor, oneHot: Tensor2D, labelled: Tensor2D): Tensor {
    const { classes, class_weights } = this.options;
    const area = tf.sum(oneHot, 0);
    const counts = classes === "present" ? tf.cast(tf.greater(area, 0), "float32") : tf.onesLike(area);
    const factors = tf.div(
      tf.mul(counts, class_weights === null ? 1 : tf.tensor1d(class_weights)),
      tf.maximum(tf.sum(counts), 1),
    );
    // Ignored pixels come last, where they change no increment of the others.
    const keys = tf.transpose(tf.sub<Tensor>(errors, tf.sub(1, labelled)));
    const perClass = tf.unstack(tf.transpose(oneHot)) as Tensor1D[];
    const columns = tf.unstack(keys).map((key, c) => {
      const { indices } = tf.topk(key, key.size);
      return increments(tf.gather(perClass[c]!, indices), indices as Tensor1D);
    });
    return tf.mul(tf.mul(tf.stack(columns, 1), factors), labelled);
  }
}

/**
 * Increments of the Jaccard loss 1 − (A − F_i) / (A + i − F_i) where F_i of the first i pixels are the class's and A
 * are in all, put back to the pixels' own places. In closed form: subtracting neighbours, as reference code does,
 * cancels in float32 for large images.
 *
 * @param foreground 1 for pixels of the class, in sorted order
 * @param order the sorted pixels' places
 */
function increments(foreground: Tensor1D, order: Tensor1D): Tensor1D {
  return tf.tidy(() => {
    const count = foreground.size;
    const area = tf.sum(foreground);
    const seen = tf.cumsum(foreground);
    const union = tf.sub(tf.add(area, tf.range(1, count + 1)), seen);
    const intersection = tf.sub(area, seen);
    const before = tf.maximum(tf.sub(union, 1), 1);
    const background = tf.div(intersection, tf.mul(before, union));
    const inside = tf.add(tf.mul(foreground, tf.div(1, union)), tf.mul(tf.sub(1, foreground), background));
    // Of an absent class the loss is the largest error.
    const absent = tf.cast(tf.equal(area, 0), "float32");
    const first = tf.cast(tf.equal(tf.range(0, count), 0), "float32");
    const sorted = tf.add(inside, tf.mul(absent, first));
    return tf.scatterND(tf.expandDims(order, 1), sorted, [count]);
  });
}
