import type { NamedTensorMap, Scalar, Tensor } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { valueAndGradients } from "../engine/backward.ts";
import type { Parameter } from "../nn/parameter.ts";

/**
 * Gradients of `loss` by parameter name. A parameter that the loss does not depend on has none.
 * The caller disposes of both results.
 */
export function gradientsOf(
  parameters: ReadonlyMap<string, Parameter>,
  loss: () => Scalar,
): { value: Scalar; gradients: NamedTensorMap } {
  const variables = [...parameters.values()].map(({ variable }) => variable);
  const { value, gradients: inOrder } = valueAndGradients(loss, variables);
  const gradients: NamedTensorMap = {};
  for (const [i, name] of [...parameters.keys()].entries()) {
    const gradient = inOrder[i];
    if (gradient != null) gradients[name] = gradient;
  }
  return { value, gradients };
}

/** Adds `more` to `sum`; both are given up for the result. */
export function addGradients(sum: NamedTensorMap, more: NamedTensorMap): NamedTensorMap {
  const result: NamedTensorMap = { ...sum };
  for (const [name, gradient] of Object.entries(more)) {
    const before = sum[name];
    if (before === undefined) {
      result[name] = gradient;
      continue;
    }
    result[name] = tf.add(before, gradient);
    tf.dispose([before, gradient]);
  }
  return result;
}

/**
 * Scales gradients so that the norm of all of them together is at most `maxNorm`, as PyTorch's
 * `clip_grad_norm_` (with its 1e-6 beside the norm). `gradients` is given up for the result.
 */
export function clipGradients(gradients: NamedTensorMap, maxNorm: number): NamedTensorMap {
  const clipped = tf.tidy(() => {
    const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square<Tensor>(gradient)));
    const norm = tf.sqrt(tf.addN(squares));
    const factor = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)));
    return Object.fromEntries(
      Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, factor)]),
    );
  });
  tf.dispose(gradients);
  return clipped;
}
