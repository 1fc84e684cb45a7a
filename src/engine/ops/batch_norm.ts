import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { activate, activationGradient, type Activation } from "../gradients/relu.ts";

/** What a batch norm with given statistics takes; every tensor is [channels]. */
export interface BatchNormOptions {
  weight: Tensor1D;
  bias: Tensor1D;
  mean: Tensor1D;
  variance: Tensor1D;
  epsilon: number;
  /** Fused, so that its input is not kept. Default "none". */
  activation?: Activation;
}

/**
 * Batch norm with given (running) statistics: `weight · (x − mean) / √(variance + epsilon) + bias`, then the
 * activation. Differentiable in x, weight and bias; the statistics are constants.
 *
 * @param x [batch, height, width, channels]
 */
export function batchNorm(x: Tensor4D, options: BatchNormOptions): Tensor4D {
  const { weight, bias, mean, variance, epsilon, activation = "none" } = options;
  const [y] = customOp(
    { x, weight, bias },
    (save) => {
      const y = activate(tf.batchNorm(x, mean, variance, bias, weight, epsilon) as Tensor4D, activation);
      save(activation === "none" ? [x, weight, mean, variance] : [x, weight, mean, variance, y]);
      return [y];
    },
    ([dy], [x, weight, mean, variance, y]) => {
      const open = activationGradient(dy!, y ?? dy!, activation);
      const deviation = tf.rsqrt(tf.add(variance!, epsilon));
      return [
        tf.mul(open, tf.mul(weight!, deviation)),
        tf.mul(tf.sum(tf.mul(open, tf.sub(x!, mean!)), [0, 1, 2]), deviation),
        tf.sum(open, [0, 1, 2]),
      ];
    },
  );
  return y as Tensor4D;
}
