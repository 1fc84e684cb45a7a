import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";

/** A matrix [rows, columns] in row-major order that maps one spatial axis to another. */
export interface AxisMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/**
 * Applies one matrix along the height and one along the width:
 * `y[n, i, j, c] = Σ_h Σ_w vertical[i, h] · horizontal[j, w] · x[n, h, w, c]`.
 * With `transposed`, the adjoint map, which is its gradient.
 *
 * @param x [batch, H, W, channels] (transposed: [batch, h, w, channels])
 * @param vertical [h, H]
 * @param horizontal [w, W]
 */
export function separable(
  x: Tensor4D,
  vertical: AxisMatrix,
  horizontal: AxisMatrix,
  transposed: boolean,
): Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width, channels] = x.shape;
    const outHeight = transposed ? vertical.columns : vertical.rows;
    const outWidth = transposed ? horizontal.columns : horizontal.rows;
    const matrix = (m: AxisMatrix) => tf.tensor3d(m.values, [1, m.rows, m.columns]);
    const rows = tf.matMul(matrix(vertical), tf.reshape(x, [batch, height, width * channels]), transposed);
    const both = tf.matMul(
      matrix(horizontal),
      tf.reshape(rows, [batch * outHeight, width, channels]),
      transposed,
    );
    return tf.reshape(both, [batch, outHeight, outWidth, channels]);
  });
}

/** The cells of adaptive average pooling: cell i is the mean of floor(i·n/cells) .. ceil((i+1)·n/cells). */
export function poolingMatrix(n: number, cells: number): AxisMatrix {
  const values = new Float32Array(cells * n);
  for (let i = 0; i < cells; i++) {
    const start = Math.floor((i * n) / cells);
    const end = Math.ceil(((i + 1) * n) / cells);
    values.fill(1 / (end - start), i * n + start, i * n + end);
  }
  return { rows: cells, columns: n, values };
}

/** How a resize places its sample points. */
export type SamplePoints = "aligned_corners" | "half_pixel_centers" | "top_left";

/** Bilinear interpolation of one axis from `n` to `m` points. */
export function interpolationMatrix(n: number, m: number, points: SamplePoints): AxisMatrix {
  const values = new Float32Array(m * n);
  const aligned = points === "aligned_corners" && m > 1;
  const scale = aligned ? (n - 1) / (m - 1) : n / m;
  for (let i = 0; i < m; i++) {
    const source = points === "half_pixel_centers" ? Math.max(0, (i + 0.5) * scale - 0.5) : i * scale;
    const low = Math.min(n - 1, Math.floor(source));
    const high = Math.min(n - 1, low + 1);
    const fraction = source - low;
    values[i * n + low]! += high === low ? 1 : 1 - fraction;
    if (high !== low) values[i * n + high]! += fraction;
  }
  return { rows: m, columns: n, values };
}
