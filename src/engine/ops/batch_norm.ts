import * as tf from "@tensorflow/tfjs";
import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { batchNormAttributes } from "../gradients/fused_batch_norm.ts";
import { activate, activationGradient, type Activation } from "../gradients/relu.ts";
import { activeTrace, nativeBackend, type NativeBackend } from "../kernel.ts";

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
  const native = nativeBackend();
  const [y] = customOp(
    { x, weight, bias },
    (save) => {
      const y = activate(normalise(native, x, options), activation);
      const kept = [x, weight, mean, variance];
      save(activation === "none" ? kept : [...kept, y]);
      return [y];
    },
    ([dy], [x, weight, mean, variance, y]) => {
      const open = activationGradient(dy!, y ?? dy!, activation);
      if (native !== null)
        return native
          .executeMultipleOutputs(
            "FusedBatchNormGradV3",
            batchNormAttributes(native, epsilon, false),
            [open, x!, weight!, mean!, variance!, tf.tensor1d([])],
            5,
          )
          .slice(0, 3);
      const trace = activeTrace();
      if (trace !== null) {
        const inputs = { dy: open, x: x!, scale: weight!, mean: mean!, variance: variance! };
        return trace.run("FusedBatchNormGrad", inputs, {}, [x!.shape, weight!.shape, weight!.shape]);
      }
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

function normalise(native: NativeBackend | null, x: Tensor4D, options: BatchNormOptions): Tensor4D {
  const { weight, bias, mean, variance, epsilon } = options;
  if (native === null) return tf.batchNorm(x, mean, variance, bias, weight, epsilon);
  const attributes = batchNormAttributes(native, epsilon, false);
  const inputs = [x, weight, bias, mean, variance];
  return native.executeMultipleOutputs("FusedBatchNormV3", attributes, inputs, 6)[0] as Tensor4D;
}
