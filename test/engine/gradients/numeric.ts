import * as tf from "@tensorflow/tfjs";
import { expect } from "vitest";

/**
 * Checks the gradients of Σ f(xs)·dy, for a random dy, along random directions: the derivative along one is a
 * central difference with a step of 1/64, summed in double precision. For a piecewise linear f it is exact
 * up to float32's rounding unless a kink lies within the step.
 */
export function expectNumericGradients(
  f: (...xs: tf.Tensor[]) => tf.Tensor,
  xs: tf.Tensor[],
  tolerance = 2e-3,
): void {
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const y = f(...xs);
    const dy = tf.randomNormal(y.shape, 0, 1, "float32", 7);
    const gradients = tf.grads((...inputs: tf.Tensor[]) => f(...inputs))(xs, dy);
    const weights = dy.dataSync();
    const sum = (t: tf.Tensor) => dot(t.dataSync(), weights);
    for (const [i, x] of xs.entries()) {
      expect(gradients[i]!.shape).toEqual(x.shape);
      for (const seed of [1, 2]) {
        const direction = tf.randomNormal(x.shape, 0, 1, "float32", seed);
        const at = (step: number) =>
          sum(f(...xs.map((other, j) => (j === i ? tf.add(x, tf.mul(direction, step)) : other))));
        const numeric = (at(1 / 64) - at(-1 / 64)) / (2 / 64);
        const values = gradients[i]!.dataSync();
        const analytic = dot(values, direction.dataSync());
        // Along a random direction of unit variance, a derivative is about as large as the gradient's norm.
        const scale = Math.sqrt(dot(values, values)) + 1e-6;
        expect(Math.abs(numeric - analytic) / scale, `input ${i}`).toBeLessThan(tolerance);
      }
    }
  });
  expect(tf.memory().numTensors).toBe(before);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
