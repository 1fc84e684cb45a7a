import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { Size } from "../../util/size.ts";

/** As PyTorch's; other libraries take −0.5. */
const a = -0.75;

/**
 * Bicubic interpolation with half-pixel centres and repeated edges, as PyTorch's `interpolate(mode="bicubic",
 * align_corners=False)`: a matrix a side, whose product has TensorFlow.js's own gradient. For small maps.
 *
 * @param x [batch, height, width, channels]
 */
export function resizeBicubic(x: Tensor4D, [height, width]: Size): Tensor4D {
  const [batch, h, w, channels] = x.shape;
  if (h === height && w === width) return x;
  return tf.tidy(() => {
    const rows = tf.matMul(weights(h, height), tf.reshape(tf.transpose(x, [1, 0, 2, 3]), [h, -1]));
    const columns = tf.transpose(tf.reshape(rows, [height, batch, w, channels]), [2, 1, 0, 3]);
    const both = tf.matMul(weights(w, width), tf.reshape(columns, [w, -1]));
    return tf.transpose(tf.reshape(both, [width, batch, height, channels]), [1, 2, 0, 3]);
  });
}

/** [to, from]: what each new cell takes of each old one. */
function weights(from: number, to: number): tf.Tensor2D {
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    for (let k = first; k < first + 4; k++) {
      const at = Math.min(from - 1, Math.max(0, k));
      matrix[i * from + at]! += cubic(Math.abs(centre - k));
    }
  }
  return tf.tensor2d(matrix, [to, from]);
}

/** Keys' kernel (1981). */
function cubic(distance: number): number {
  const d = distance;
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
