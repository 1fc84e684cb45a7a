import * as tf from "@tensorflow/tfjs";
import type { backend_util, Tensor4D } from "@tensorflow/tfjs";

/** Where a window of a convolution or a pooling reads, on both axes ([vertical, horizontal]). */
export interface WindowGeometry {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Zeros before the first row and column; may be smaller than those after the last. */
  readonly before: readonly [number, number];
  readonly after: readonly [number, number];
}

/** Options of a convolution in PyTorch's terms. */
export interface ConvOptions {
  /** Default 1. */
  stride?: number;
  /** Zeros on every side; default 0. */
  padding?: number;
  /** Default 1. */
  dilation?: number;
}

/** The geometry of a tfjs `Conv2DInfo`. */
export function geometryOf(info: backend_util.Conv2DInfo): WindowGeometry {
  const { top, bottom, left, right } = info.padInfo;
  return {
    kernel: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    before: [top, left],
    after: [bottom, right],
  };
}

/** Pads with `value` where a border is positive and crops where it is negative. */
export function padOrCrop(
  x: Tensor4D,
  before: readonly [number, number],
  after: readonly [number, number],
  value = 0,
): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const cut = (n: number) => Math.max(0, -n);
  const grow = (n: number) => Math.max(0, n);
  let y = x;
  if ([...before, ...after].some((n) => n < 0))
    y = tf.slice(
      y,
      [0, cut(before[0]), cut(before[1]), 0],
      [batch, height - cut(before[0]) - cut(after[0]), width - cut(before[1]) - cut(after[1]), channels],
    );
  if ([...before, ...after].some((n) => n > 0))
    y = tf.pad(
      y,
      [
        [0, 0],
        [grow(before[0]), grow(after[0])],
        [grow(before[1]), grow(after[1])],
        [0, 0],
      ],
      value,
    );
  return y;
}

/**
 * Puts `stride − 1` zero rows and columns after each row and column:
 * [batch, h, w, channels] → [batch, h·stride, w·stride, channels].
 */
export function spread(x: Tensor4D, [vertical, horizontal]: readonly [number, number]): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (vertical === 1 && horizontal === 1) return x;
  const pad = (y: tf.Tensor3D, stride: number) =>
    tf.pad(y, [
      [0, 0],
      [0, stride - 1],
      [0, 0],
    ]);
  const rows = pad(tf.reshape(x, [batch * height, 1, width * channels]), vertical);
  const both = pad(tf.reshape(rows, [batch * height * vertical * width, 1, channels]), horizontal);
  return tf.reshape(both, [batch, height * vertical, width * horizontal, channels]);
}

/**
 * What the kernel's element (row, column) reads for every output position, from an already padded input:
 * [batch, h, w, channels].
 */
export function readAt(
  padded: Tensor4D,
  geometry: WindowGeometry,
  [row, column]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
): Tensor4D {
  const [batch, , , channels] = padded.shape;
  const top = row * geometry.dilation[0];
  const left = column * geometry.dilation[1];
  const [down, right] = geometry.stride;
  if (down === 1 && right === 1)
    return tf.slice(padded, [0, top, left, 0], [batch, outHeight, outWidth, channels]);
  return tf.stridedSlice(
    padded,
    [0, top, left, 0],
    [batch, top + (outHeight - 1) * down + 1, left + (outWidth - 1) * right + 1, channels],
    [1, down, right, 1],
  ) as Tensor4D;
}
