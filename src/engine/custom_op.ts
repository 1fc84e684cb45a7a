import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";

interface TapeEngine {
  runKernelFunc(parameters: {
    inputs: Record<string, Tensor>;
    forwardFunc: (backend: unknown, save: (tensors: Tensor[]) => void) => Tensor[];
    backwardsFunc: (dy: Tensor | Tensor[], saved: Tensor[]) => Record<string, () => Tensor>;
  }): Tensor[];
}

/**
 * Runs an operation that has a gradient of its own: `tf.customGrad` with several outputs, named inputs and
 * nothing else kept for the backward pass than what `forward` saves.
 *
 * @param inputs what the operation differentiates with respect to
 * @param forward gives the outputs; temporaries are disposed of; `save` keeps tensors until the backward pass
 * @param backward gives the gradients, in the order of `inputs`, from the outputs' gradients (zeros for an
 *   output that leads nowhere) and the saved tensors
 */
export function customOp(
  inputs: Record<string, Tensor>,
  forward: (save: (tensors: Tensor[]) => void) => Tensor[],
  backward: (dys: Tensor[], saved: Tensor[]) => Tensor[],
): Tensor[] {
  // `runKernelFunc` is what `tf.customGrad` itself calls; only there can an operation have two outputs.
  return (tf.engine() as unknown as TapeEngine).runKernelFunc({
    inputs,
    forwardFunc: (_backend, save) => forward(save),
    backwardsFunc: (dy, saved) => {
      const gradients = tf.tidy(() => backward(Array.isArray(dy) ? dy : [dy], saved));
      return Object.fromEntries(Object.keys(inputs).map((name, i) => [name, () => gradients[i]!]));
    },
  });
}
