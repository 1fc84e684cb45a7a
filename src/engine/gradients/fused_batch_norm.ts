import * as tf from "@tensorflow/tfjs";
import type { GradConfig, NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { attribute, type NativeAttribute, type NativeBackend } from "../kernel.ts";

/** The attributes that TensorFlow's FusedBatchNormV3 and FusedBatchNormGradV3 share. */
export function batchNormAttributes(
  native: NativeBackend,
  epsilon: number,
  training: boolean,
): NativeAttribute[] {
  return [
    attribute.type(native, "T", "float32"),
    attribute.type(native, "U", "float32"),
    attribute.float(native, "epsilon", epsilon),
    attribute.string(native, "data_format", "NHWC"),
    attribute.bool(native, "is_training", training),
  ];
}

/**
 * The gradient of `tf.batchNorm` (given statistics). TF.js's own tiles every statistic to x's size; this one
 * works per channel. Statistics of x's own rank, which `tf.batchNorm` allows as well, broadcast.
 */
export const fusedBatchNormGradient: GradConfig = {
  kernelName: "FusedBatchNorm",
  inputsToSave: ["x", "mean", "variance", "scale"],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[], attributes: NamedAttrMap) => {
    const [x, mean, variance, scale] = saved as [Tensor4D, Tensor, Tensor, Tensor | undefined];
    const { varianceEpsilon } = attributes as unknown as { varianceEpsilon: number };
    const gradient = dy as Tensor4D;
    const deviation = () => tf.rsqrt(tf.add(variance, varianceEpsilon));
    const factor = () => (scale == null ? deviation() : tf.mul(deviation(), scale));
    const centred = () => tf.sub(x, mean);
    const sumTo = (t: Tensor, like: Tensor) => sumToShape(t, like.shape);
    return {
      x: () => tf.mul(gradient, factor()),
      mean: () => tf.neg(tf.mul(sumTo(gradient, mean), sumlessFactor(factor(), mean))),
      variance: () =>
        tf.mul(
          sumTo(tf.mul(gradient, centred()), variance),
          tf.mul(-0.5, tf.mul(sumlessFactor(factor(), variance), tf.square(deviation()))),
        ),
      scale: () => tf.mul(sumTo(tf.mul(gradient, centred()), mean), deviation()),
      offset: () => sumTo(gradient, mean),
    };
  },
};

function sumlessFactor(factor: Tensor, like: Tensor): Tensor {
  return factor.rank === like.rank ? factor : tf.reshape(factor, like.shape);
}

function sumToShape(t: Tensor, shape: number[]): Tensor {
  const lead = t.rank - shape.length;
  const axes = t.shape.flatMap((n, axis) =>
    axis < lead || (shape[axis - lead] === 1 && n !== 1) ? [axis] : [],
  );
  return tf.reshape(axes.length === 0 ? t : tf.sum(t, axes), shape);
}
