import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { batchNormAttributes } from "../gradients/fused_batch_norm.ts";
import { activate, activationGradient, type Activation } from "../gradients/relu.ts";
import { activeTrace, nativeBackend, type NativeBackend } from "../kernel.ts";
import type { TraceBackend } from "../trace/backend.ts";

/** What a batch norm over the batch's own statistics takes; every tensor is [channels]. */
export interface BatchNormTrainingOptions {
  weight: Tensor1D;
  bias: Tensor1D;
  epsilon: number;
  /** Fused, so that only x and y stay for the backward pass. Default "none". */
  activation?: Activation;
}

export interface BatchNormTrainingResult {
  /** [batch, height, width, channels] */
  y: Tensor4D;
  /** The batch's mean [channels]; a constant to gradients. */
  mean: Tensor1D;
  /** The batch's variance [channels] with n − 1 in the denominator, as running averages take it; a constant. */
  variance: Tensor1D;
}

/**
 * Batch norm in training mode: normalises by the mean and the biased variance over batch, height and width,
 * then applies the activation. Differentiable in x, weight and bias.
 *
 * @param x [batch, height, width, channels]
 */
export function batchNormTraining(x: Tensor4D, options: BatchNormTrainingOptions): BatchNormTrainingResult {
  const native = nativeBackend();
  const trace = activeTrace();
  const [y, mean, variance] =
    trace !== null
      ? traced(trace, x, options)
      : native === null
        ? portable(x, options)
        : fused(native, x, options);
  return { y: y as Tensor4D, mean: mean as Tensor1D, variance: variance as Tensor1D };
}

function fused(native: NativeBackend, x: Tensor4D, options: BatchNormTrainingOptions): Tensor[] {
  const { weight, bias, epsilon, activation = "none" } = options;
  const attributes = batchNormAttributes(native, epsilon, true);
  return customOp(
    { x, weight, bias },
    (save) => {
      const none = tf.tensor1d([], "float32");
      const [normalised, mean, variance, ...reserved] = native.executeMultipleOutputs(
        "FusedBatchNormV3",
        attributes,
        [x, weight, bias, none, none],
        6,
      );
      const y = activate(normalised!, activation);
      save(activation === "none" ? [x, weight, ...reserved] : [x, weight, ...reserved, y]);
      return [y, mean!, variance!];
    },
    ([dy], [x, weight, first, second, third, y]) => {
      const open = activationGradient(dy!, y ?? dy!, activation);
      return native
        .executeMultipleOutputs(
          "FusedBatchNormGradV3",
          attributes,
          [open, x!, weight!, first!, second!, third!],
          5,
        )
        .slice(0, 3);
    },
  );
}

/** One operation to the trace, which keeps what the native kernel keeps. */
function traced(trace: TraceBackend, x: Tensor4D, options: BatchNormTrainingOptions): Tensor[] {
  const { weight, bias, epsilon, activation = "none" } = options;
  const channels = weight.shape;
  return customOp(
    { x, weight, bias },
    (save) => {
      const inputs = { x, scale: weight, offset: bias };
      const outputs = [x.shape, channels, channels];
      const [normalised, mean, variance] = trace.run("FusedBatchNormTraining", inputs, { epsilon }, outputs);
      const y = activate(normalised!, activation);
      const kept = [x, weight, mean!, variance!];
      save(activation === "none" ? kept : [...kept, y]);
      return [y, mean!, variance!];
    },
    ([dy], [x, weight, mean, variance, y]) => {
      const open = activationGradient(dy!, y ?? dy!, activation);
      const inputs = { dy: open, x: x!, scale: weight!, mean: mean!, variance: variance! };
      return trace.run("FusedBatchNormGrad", inputs, { epsilon }, [x!.shape, channels, channels]);
    },
  );
}

function portable(x: Tensor4D, options: BatchNormTrainingOptions): Tensor[] {
  const { weight, bias, epsilon, activation = "none" } = options;
  const count = x.size / x.shape[3];
  return customOp(
    { x, weight, bias },
    (save) => {
      const mean = tf.mean(x, [0, 1, 2]);
      const variance = tf.mean(tf.squaredDifference(x, mean), [0, 1, 2]);
      const y = activate(
        tf.batchNorm(x, mean as Tensor1D, variance as Tensor1D, bias, weight, epsilon),
        activation,
      );
      const kept = [x, weight, mean, variance];
      save(activation === "none" ? kept : [...kept, y]);
      return [y, mean, tf.mul(variance, count / Math.max(1, count - 1))];
    },
    ([dy], [x, weight, mean, variance, y]) => {
      const open = activationGradient(dy!, y ?? dy!, activation);
      const deviation = tf.rsqrt(tf.add(variance!, epsilon));
      const normalised = tf.mul(tf.sub(x!, mean!), deviation);
      const dBias = tf.sum(open, [0, 1, 2]);
      const dWeight = tf.sum(tf.mul(open, normalised), [0, 1, 2]);
      const along = tf.add(tf.div(dBias, count), tf.mul(normalised, tf.div(dWeight, count)));
      return [tf.mul(tf.sub(open, along), tf.mul(weight!, deviation)), dWeight, dBias];
    },
  );
}
