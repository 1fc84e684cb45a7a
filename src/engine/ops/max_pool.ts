import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { geometryOf } from "../geometry.ts";
import { maxPoolInputGradient, nativePoolAttributes } from "../gradients/max_pool.ts";
import { nativeBackend } from "../kernel.ts";

/** Options of a pooling in PyTorch's terms. */
export interface PoolOptions {
  size: number;
  stride: number;
  /** Positions on every side that never win; at most half of `size`. */
  padding: number;
}

/**
 * Max pooling with symmetric padding; the gradient goes to a window's first maximum.
 *
 * @param x [batch, height, width, channels]
 * @returns [batch, ⌊(height + 2·padding − size) / stride⌋ + 1, …, channels]
 */
export function maxPool(x: Tensor4D, { size, stride, padding }: PoolOptions): Tensor4D {
  const native = nativeBackend();
  if (native === null || padding === 0) return tf.maxPool(x, size, stride, padding === 0 ? "valid" : padding);
  const info = tf.backend_util.computePool2DInfo(x.shape, size, stride, 1, padding);
  const geometry = geometryOf(info);
  const [y] = customOp(
    { x },
    (save) => {
      const y = native.executeSingleOutput("MaxPool", nativePoolAttributes(native, geometry), [x]);
      save([x, y]);
      return [y];
    },
    ([dy], saved) => [
      maxPoolInputGradient(saved[0] as Tensor4D, saved[1] as Tensor4D, dy as Tensor4D, geometry),
    ],
  );
  return y as Tensor4D;
}
