import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { customOp } from "../engine/custom_op.ts";
import type { NetworkContext } from "./context.ts";
import type { Module } from "./module.ts";

/**
 * Runs `forward` on x keeping x alone for the backward pass, in which the module's activations are computed
 * a second time (gradient checkpointing, Chen et al. 2016; `with_cp` in configs): less memory, one more
 * forward pass. Gradients and running statistics are those of a plain call.
 *
 * @param module everything with parameters that `forward` uses; every trainable one must be used
 * @param forward a function of x and the module's parameters that makes no random choice of its own
 */
export function checkpointed(
  context: NetworkContext,
  module: Module,
  x: Tensor4D,
  forward: (x: Tensor4D) => Tensor4D,
): Tensor4D {
  // TF.js hands gradients to an operation's declared inputs only, so the variables are inputs as well,
  // although `forward` finds them through the module.
  const variables = trainableVariables(module);
  const [y] = customOp(
    { x, ...Object.fromEntries(variables.map((variable, i) => [`parameter${i}`, variable])) },
    (save) => {
      save([x]);
      return [forward(x)];
    },
    ([dy], [saved]) =>
      recompute(context, () => {
        const input = saved as Tensor4D;
        return tf.grads(() => forward(input))([input, ...variables], dy);
      }),
  );
  return y as Tensor4D;
}

/**
 * Runs `forward` without recording it for the backward pass: nothing is kept and no gradient reaches what is
 * inside, nor what is before it. For frozen parts of a network.
 */
export function withoutTape(x: Tensor4D, forward: (x: Tensor4D) => Tensor4D): Tensor4D {
  const { shape } = x;
  const [y] = customOp(
    { x },
    () => [forward(x)],
    () => [tf.zeros(shape)],
  );
  return y as Tensor4D;
}

function trainableVariables(module: Module): Tensor[] {
  const variables: Tensor[] = [];
  for (const [, parameter] of module.namedParameters()) {
    if (parameter.trainable) variables.push(parameter.variable);
  }
  return variables;
}

/**
 * A forward and backward pass inside a backward pass. TF.js has one tape at a time and drops it when a
 * backward pass ends, so the outer one is put back afterwards.
 */
function recompute(context: NetworkContext, run: () => Tensor[]): Tensor[] {
  const { state } = tf.engine();
  const outerTape = state.activeTape;
  context.recomputing = true;
  try {
    return run();
  } finally {
    context.recomputing = false;
    state.activeTape = outerTape;
  }
}
