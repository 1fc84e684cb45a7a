import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";

/**
 * Where windows start along one side: every `stride` from 0, the last one shifted inside so that it ends
 * with the image. A window that is larger than the image is the image; nothing is padded.
 *
 * @throws SegfuseError SEGFUSE_WINDOW_STRIDE where the stride leaves pixels that no window sees
 */
export function windowStarts(size: number, window: number, stride: number): number[] {
  if (window >= size) return [0];
  if (stride > window) {
    throw new SegfuseError("SEGFUSE_WINDOW_STRIDE", "evaluation.stride leaves gaps between the windows", {
      expected: `a stride of at most the window (${window})`,
      found: String(stride),
    });
  }
  const count = Math.ceil((size - window) / stride) + 1;
  return Array.from({ length: count }, (_, i) => Math.min(i * stride, size - window));
}

/**
 * Lays overlapping parts along one axis side by side; where several overlap, their mean. The parts are cut at
 * every start and end, so that each piece is a plain mean and nothing the size of the whole is padded or
 * divided. Windows of a grid overlap by rows times columns, so the mean over columns and then over rows is
 * the mean over all windows that see a pixel.
 *
 * @param parts tensors [batch, h, w, channels] in order of their starts, which together cover 0..size
 * @param axis 1 (height) or 2 (width)
 */
export function overlapMean(parts: readonly Tensor4D[], starts: readonly number[], axis: 1 | 2): Tensor4D {
  if (parts.length === 1) return parts[0]!;
  const spans = parts.map((part, i) => ({ part, start: starts[i]!, end: starts[i]! + part.shape[axis] }));
  const cuts = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  return tf.tidy(() => {
    const pieces = cuts.slice(0, -1).map((from, i) => {
      const to = cuts[i + 1]!;
      const covering = spans
        .filter(({ start, end }) => start <= from && to <= end)
        .map(({ part, start }) => sliceAxis(part, axis, from - start, to - from));
      return covering.length === 1 ? covering[0]! : tf.mul(tf.addN(covering), 1 / covering.length);
    });
    return tf.concat(pieces as Tensor4D[], axis);
  });
}

/** `length` entries of an axis from `start` on. */
export function sliceAxis(x: Tensor4D, axis: 1 | 2, start: number, length: number): Tensor4D {
  if (start === 0 && length === x.shape[axis]) return x;
  const begin: [number, number, number, number] = [0, 0, 0, 0];
  const size: [number, number, number, number] = [-1, -1, -1, -1];
  begin[axis] = start;
  size[axis] = length;
  return tf.slice(x, begin, size);
}
