import type { Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { customOp } from "../engine/custom_op.ts";
import { activate, activationGradient } from "../engine/gradients/relu.ts";
import type { Activation } from "../engine/ops/index.ts";

/**
 * activation(residual + shortcut) for two maps of one shape. Keeps its output at most; `tf.add` and `tf.relu`
 * would keep both terms until the step ends, which no gradient needs where nothing is broadcast.
 */
export function addResidual(
  residual: Tensor4D,
  shortcut: Tensor4D,
  activation: Activation = "none",
): Tensor4D {
  const [y] = customOp(
    { residual, shortcut },
    (save) => {
      const y = activate(tf.add(residual, shortcut), activation);
      if (activation !== "none") save([y]);
      return [y];
    },
    ([dy], [y]) => {
      const gradient = activationGradient(dy!, y ?? dy!, activation);
      // Each input's gradient is disposed of on its own.
      return [gradient, tf.clone(gradient)];
    },
  );
  return y as Tensor4D;
}
