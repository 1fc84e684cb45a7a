import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { activeTrace, attribute, nativeBackend } from "../kernel.ts";

/** How the cross entropy of single pixels becomes one number. */
export interface SoftmaxCrossEntropyOptions {
  /** The label of pixels that do not count. */
  ignoreIndex: number;
  /** [classes]; null: all 1. */
  classWeights?: Tensor1D | null;
  /**
   * True: the weighted mean over the pixels that count, as PyTorch's `cross_entropy(reduction="mean")`.
   * False: their weighted sum divided by the number of all pixels, as mmsegmentation's default.
   */
  avgNonIgnore: boolean;
  /** Hard example mining; default: every labelled pixel counts. */
  hard?: {
    /** 1 for each pixel that counts, 0 for the others; a constant to gradients. */
    choose: (pixels: PixelLosses) => Tensor1D;
    /** Average over the chosen pixels alone, whatever `avgNonIgnore` says. */
    average: boolean;
  };
}

/** What hard example mining chooses by; each tensor is [pixels], the batch's images one after the other. */
export interface PixelLosses {
  /** Cross entropies, without class weights; some number ≥ 0 where a pixel has no label. */
  losses: Tensor1D;
  /** 1 where a pixel has a label, else 0. */
  labelled: Tensor1D;
  /** The class's weight; 0 where a pixel has no label. */
  weights: Tensor1D;
}

/**
 * Softmax cross entropy of a segmentation; differentiable in logits. 0 with a gradient of zeros where every
 * pixel is ignored.
 *
 * @param logits [batch, height, width, classes]
 * @param labels [batch, height, width], int32, in 0 … classes − 1 or the ignore index
 * @throws Error where another label occurs
 */
export function softmaxCrossEntropy(
  logits: Tensor4D,
  labels: Tensor3D,
  options: SoftmaxCrossEntropyOptions,
): Scalar {
  const [loss] = customOp(
    { logits },
    (save) => {
      const classes = logits.shape[3];
      const flat = tf.reshape(labels, [-1]);
      const counts = tf.notEqual(flat, options.ignoreIndex);
      const target = tf.mul<Tensor1D>(flat, tf.cast(counts, "int32"));
      const [losses, slope] = perPixel(tf.reshape(logits, [-1, classes]), target);
      const labelled = tf.cast(counts, "float32") as Tensor1D;
      const weights = pixelWeights(target, labelled, options.classWeights ?? null);
      const chosen = options.hard?.choose({ losses: losses as Tensor1D, labelled, weights });
      const weight = chosen === undefined ? weights : tf.mul(weights, chosen);
      // The smallest normal number instead of 0 divides sums of zeros into 0.
      const over = options.hard?.average === true ? weight : options.avgNonIgnore ? weights : null;
      const total = over === null ? tf.scalar(flat.size) : tf.maximum(tf.sum(over), 1.2e-38);
      const share = tf.div(weight, total);
      save([tf.reshape(tf.mul(slope!, tf.expandDims(share, 1)), logits.shape)]);
      return [tf.div(tf.sum(tf.mul(losses!, weight)), total)];
    },
    ([dy], [slope]) => [tf.mul(slope!, dy!)],
  );
  return loss as Scalar;
}

/** Each pixel's weight [pixels]: 0 where it does not count. */
function pixelWeights(target: Tensor1D, counts: Tensor1D, classWeights: Tensor1D | null): Tensor1D {
  return classWeights === null ? counts : tf.mul(tf.gather(classWeights, target), counts);
}

/** Each pixel's cross entropy [pixels] and its gradient [pixels, classes]. */
function perPixel(logits: Tensor2D, target: Tensor1D): Tensor[] {
  const native = nativeBackend();
  if (native !== null)
    return native.executeMultipleOutputs(
      "SparseSoftmaxCrossEntropyWithLogits",
      [attribute.type(native, "T", "float32"), attribute.type(native, "Tlabels", "int32")],
      [logits, target],
      2,
    );
  const trace = activeTrace();
  if (trace !== null)
    return trace.run("SparseSoftmaxCrossEntropy", { logits, target }, {}, [target.shape, logits.shape]);
  const classes = logits.shape[1];
  // One-hot codes say nothing about a label that is out of range.
  const outside = tf.logicalOr(tf.less(target, 0), tf.greaterEqual(target, classes));
  if (tf.any(outside).dataSync()[0]) throw new Error(`a label is outside of 0 … ${classes - 1}`);
  const oneHot = tf.oneHot(target, classes).toFloat();
  const logProbabilities = tf.logSoftmax(logits);
  return [tf.neg(tf.sum(tf.mul(oneHot, logProbabilities), 1)), tf.sub(tf.exp(logProbabilities), oneHot)];
}
