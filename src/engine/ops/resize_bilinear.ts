import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";

/**
 * Bilinear resize as PyTorch's `interpolate(mode="bilinear")`: corner pixels aligned, or sample points at
 * half pixels. Gives x itself where the size is the same.
 *
 * @param x [batch, height, width, channels]
 * @param size [height, width] of the result
 */
export function resizeBilinear(
  x: Tensor4D,
  [height, width]: readonly [number, number],
  alignCorners: boolean,
): Tensor4D {
  if (x.shape[1] === height && x.shape[2] === width) return x;
  return tf.image.resizeBilinear(x, [height, width], alignCorners, !alignCorners);
}
