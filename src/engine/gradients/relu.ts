import * as tf from "@tensorflow/tfjs";
import type { GradConfig, Tensor } from "@tensorflow/tfjs";
import { activeTrace, attribute, nativeBackend } from "../kernel.ts";

/** An activation that a batch norm can have fused. */
export type Activation = "none" | "relu" | "relu6";

/**
 * The gradients of `tf.relu` and `tf.relu6` from their outputs, which the next layer keeps anyway.
 * TF.js's own keep the input and compare in five kernels.
 */
export const reluGradient: GradConfig = {
  kernelName: "Relu",
  outputsToSave: [true],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[]) => ({
    x: () => activationGradient(dy as Tensor, saved[0]!, "relu"),
  }),
};

export const relu6Gradient: GradConfig = {
  kernelName: "Relu6",
  outputsToSave: [true],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[]) => ({
    x: () => activationGradient(dy as Tensor, saved[0]!, "relu6"),
  }),
};

/**
 * ∂L/∂x of an activation, from its output y; 0 where the activation clips, as PyTorch has it.
 * Gives dy itself for "none".
 */
export function activationGradient<T extends Tensor>(dy: T, y: T, activation: Activation): T {
  if (activation === "none") return dy;
  const native = nativeBackend();
  if (native !== null)
    return native.executeSingleOutput(
      activation === "relu" ? "ReluGrad" : "Relu6Grad",
      [attribute.type(native, "T", "float32")],
      [dy, y],
    ) as T;
  const trace = activeTrace();
  if (trace !== null)
    return trace.run(activation === "relu" ? "ReluGrad" : "Relu6Grad", { dy, y }, {}, [y.shape])[0] as T;
  return tf.tidy(() => {
    const open = tf.greater(y, 0);
    const passed = activation === "relu" ? open : tf.logicalAnd(open, tf.less(y, 6));
    return tf.mul<T>(dy, tf.cast(passed, "float32"));
  });
}

/** Applies an activation; x itself for "none". */
export function activate<T extends Tensor>(x: T, activation: Activation): T {
  switch (activation) {
    case "none":
      return x;
    case "relu":
      return tf.relu(x);
    case "relu6":
      return tf.relu6(x);
  }
}
