import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";

/** x·Φ(x) with the normal distribution's own Φ (Hendrycks and Gimpel 2016; PyTorch's `approximate="none"`), of any shape. */
export function gelu<T extends Tensor>(x: T): T {
  const [y] = customOp(
    { x },
    (save) => {
      save([x]);
      return [tf.mul(x, share(x))];
    },
    ([dy], [saved]) => {
      const input = saved!;
      const density = tf.mul(tf.exp(tf.mul(tf.square(input), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return [tf.mul(dy!, tf.add(share(input), tf.mul(input, density)))];
    },
  );
  return y as T;
}

/** Φ(x) = (1 + erf(x/√2)) / 2. */
function share(x: Tensor): Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}
