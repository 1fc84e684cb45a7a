import * as tf from "@tensorflow/tfjs";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { resizeBilinear } from "../engine/ops/index.ts";
import { sliceAxis } from "./windows.ts";
import type { Size } from "../util/size.ts";

/** Logits are resized in strips of rows of at most this size: 19 classes at 1024×2048 would be 160 MB at once. */
const STRIP_BYTES = 32 * 2 ** 20;

/**
 * Logits of one or several views of the same images → class numbers [batch, height, width] (int32).
 * Each view is resized (bilinear) straight from its own resolution to `size`. One view: the largest logit;
 * several: the largest mean of the softmax maps (paper 4.2, multi-scale inference). The full-size logits never
 * exist as a whole.
 *
 * @param views each makes logits [batch, h, w, classes] when its turn comes; they are disposed here
 * @param size [height, width] of the result: the label's
 * @param alignCorners how the network resizes its maps
 */
export function classMap(views: readonly (() => Tensor4D)[], size: Size, alignCorners: boolean): Tensor3D {
  const [first] = views;
  if (first === undefined) throw new RangeError("a class map needs at least one view");
  return tf.tidy(() => {
    if (views.length === 1) {
      const logits = first();
      return joinRows(
        strips(logits, size).map((rows) => argMax(resizeRows(logits, size, rows, alignCorners))),
      );
    }
    let sums: Tensor4D[] = [];
    for (const view of views) {
      const before = sums;
      sums = tf.tidy(() => {
        const logits = view();
        return strips(logits, size).map((rows, i) =>
          tf.tidy(() => {
            const scores = tf.softmax(resizeRows(logits, size, rows, alignCorners));
            return before.length === 0 ? scores : tf.add(before[i]!, scores);
          }),
        );
      });
      tf.dispose(before);
    }
    return joinRows(sums.map(argMax));
  });
}

/** Rows [top, bottom) of `map` resized to `size`, without the other rows: [batch, bottom − top, width, channels]. */
export function resizeRows(map: Tensor4D, size: Size, [top, bottom]: Rows, alignCorners: boolean): Tensor4D {
  const [height, width] = size;
  if (top === 0 && bottom === height) return resizeBilinear(map, [height, width], alignCorners);
  return tf.tidy(() => {
    const rows =
      map.shape[1] === height
        ? sliceAxis(map, 1, top, bottom - top)
        : interpolateRows(map, height, [top, bottom], alignCorners);
    return resizeBilinear(rows, [bottom - top, width], alignCorners);
  });
}

type Rows = readonly [top: number, bottom: number];

/** Rows of the map as if it had been resized to `height`: a mean of the two nearest rows, weighted by distance. */
function interpolateRows(
  map: Tensor4D,
  height: number,
  [top, bottom]: Rows,
  alignCorners: boolean,
): Tensor4D {
  const last = map.shape[1] - 1;
  const positions = Float64Array.from({ length: bottom - top }, (_, i) => {
    if (alignCorners) return height === 1 ? 0 : ((top + i) * last) / (height - 1);
    return Math.min(Math.max(((top + i + 0.5) * (last + 1)) / height - 0.5, 0), last);
  });
  const above = Int32Array.from(positions, Math.floor);
  const below = above.map((row) => Math.min(row + 1, last));
  const weights = Float32Array.from(positions, (position, i) => position - above[i]!);
  const from = tf.gather(map, tf.tensor1d(above, "int32"), 1);
  const to = tf.gather(map, tf.tensor1d(below, "int32"), 1);
  return tf.add(from, tf.mul(tf.sub(to, from), tf.tensor4d(weights, [1, weights.length, 1, 1])));
}

/** The rows 0..height in pieces whose logits fit the budget. */
function strips(logits: Tensor4D, [height, width]: Size): Rows[] {
  const [batch, , , classes] = logits.shape;
  const rows = Math.max(1, Math.floor(STRIP_BYTES / (batch * width * classes * 4)));
  return Array.from({ length: Math.ceil(height / rows) }, (_, i) => [
    i * rows,
    Math.min((i + 1) * rows, height),
  ]);
}

function argMax(scores: Tensor4D): Tensor3D {
  const classes = tf.argMax<Tensor3D>(scores, 3);
  scores.dispose();
  return classes;
}

function joinRows(parts: Tensor3D[]): Tensor3D {
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 1);
}
