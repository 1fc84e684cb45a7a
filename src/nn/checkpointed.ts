import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
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
  const variables = trainableVariables(module);
  // TF.js's custom gradients reach tensors that are arguments only, so the variables are arguments as well,
  // although `forward` finds them through the module.
  const run = tf.customGrad((...args) => {
    const [input] = args as unknown as [Tensor4D];
    const save = args.at(-1) as unknown as tf.GradSaveFunc;
    save([input]);
    return {
      value: forward(input),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        recompute(context, () => {
          const again = saved[0] as Tensor4D;
          return tf.grads(() => forward(again))([again, ...variables], dy);
        }),
    };
  });
  return run(x, ...variables) as Tensor4D;
}

/**
 * Runs `forward` without recording it for the backward pass: nothing is kept and no gradient reaches what is
 * inside. For frozen parts of a network.
 */
export function withoutTape(x: Tensor4D, forward: (x: Tensor4D) => Tensor4D): Tensor4D {
  const { shape } = x;
  const run = tf.customGrad((input) => ({
    value: forward(input as Tensor4D),
    gradFunc: () => tf.zeros(shape),
  }));
  return run(x) as Tensor4D;
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
