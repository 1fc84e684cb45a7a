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
      const weight = pixelWeights(target, tf.cast(counts, "float32"), options.classWeights ?? null);
      // The smallest normal number instead of 0 divides sums of zeros into 0.
      const total = options.avgNonIgnore ? tf.maximum(tf.sum(weight), 1.2e-38) : tf.scalar(flat.size);
      const share = tf.div(weight, total);
      save([tf.reshape(tf.mul(slope!, tf.expandDims(share, 1)), logits.shape)]);
      return [tf.div(tf.sum(tf.mul(losses!, weight)), total)];
    },
    ([dy], [slope]) => [tf.mul(slope!, dy!)],
  );
  return loss as Scalar;
}

/** Each pixel's weight [pixels]: 0 where it does not count. */
function pixelWeights(target: Tensor1D, counts: Tensor, classWeights: Tensor1D | null): Tensor {
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
