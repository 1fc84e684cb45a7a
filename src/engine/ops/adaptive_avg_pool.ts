import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { activeTrace } from "../kernel.ts";
import { poolingMatrix, separable } from "../separable.ts";

/**
 * Adaptive average pooling: cell (i, j) is the mean over rows ⌊i·H/h⌋ … ⌈(i+1)·H/h⌉ − 1 and columns alike,
 * as PyTorch's AdaptiveAvgPool2d (cells may overlap).
 *
 * @param x [batch, H, W, channels]
 * @param size [h, w]
 * @returns [batch, h, w, channels]
 */
export function adaptiveAvgPool(x: Tensor4D, [height, width]: readonly [number, number]): Tensor4D {
  const trace = activeTrace();
  if (trace !== null) {
    const name = "AdaptiveAvgPool";
    const [y] = customOp(
      { x },
      () => trace.run(name, { x }, { size: [height, width] }, [[x.shape[0], height, width, x.shape[3]]]),
      ([dy]) => trace.run(`${name}Grad`, { dy: dy! }, {}, [x.shape]),
    );
    return y as Tensor4D;
  }
  if (height === 1 && width === 1) return tf.mean(x, [1, 2], true);
  const vertical = poolingMatrix(x.shape[1], height);
  const horizontal = poolingMatrix(x.shape[2], width);
  const [y] = customOp(
    { x },
    () => [separable(x, vertical, horizontal, false)],
    ([dy]) => [separable(dy as Tensor4D, vertical, horizontal, true)],
  );
  return y as Tensor4D;
}
