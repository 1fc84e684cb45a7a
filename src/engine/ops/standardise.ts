import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";

/**
 * (x − mean) / √(variance + epsilon) with mean and biased variance over `axes`, which have no weights of their own. Keeps
 * its output and the small deviations for the backward pass; written with `tf.moments` it would keep four maps.
 *
 * @param x any shape
 * @param axes where each mean is taken; the others stay apart
 */
export function standardise<T extends Tensor>(x: T, axes: readonly number[], epsilon: number): T {
  const over = [...axes];
  const [y] = customOp(
    { x },
    (save) => {
      const centred = tf.sub(x, tf.mean(x, over, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), over, true), epsilon));
      const y = tf.mul(centred, scale);
      save([y, scale]);
      return [y];
    },
    ([dy], [y, scale]) => {
      const along = tf.mul(y!, tf.mean(tf.mul(dy!, y!), over, true));
      const across = tf.sub(dy!, tf.mean(dy!, over, true));
      return [tf.mul(scale!, tf.sub(across, along))];
    },
  );
  return y as T;
}
