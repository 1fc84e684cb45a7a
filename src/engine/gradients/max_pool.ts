import * as tf from "@tensorflow/tfjs";
import type { GradConfig, NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { geometryOf, padOrCrop, readAt, spread, type WindowGeometry } from "../geometry.ts";
import {
  activeTrace,
  attribute,
  nativeBackend,
  type NativeAttribute,
  type NativeBackend,
} from "../kernel.ts";

/**
 * The gradient of `tf.maxPool`: each output's gradient goes to the first maximum of its window in
 * row-major order, as in PyTorch, and TF.js's "same" and numeric padding are taken as they are.
 */
export const maxPoolGradient: GradConfig = {
  kernelName: "MaxPool",
  inputsToSave: ["x"],
  outputsToSave: [true],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[], attributes: NamedAttrMap) => {
    const [x, y] = saved as [Tensor4D, Tensor4D];
    const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as {
      filterSize: [number, number] | number;
      strides: [number, number] | number;
      pad: "valid" | "same" | number;
      dimRoundingMode?: "floor" | "round" | "ceil";
    };
    const info = tf.backend_util.computePool2DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode);
    return { x: () => maxPoolInputGradient(x, y, dy as Tensor4D, geometryOf(info)) };
  },
};

/** The attributes of TensorFlow's MaxPool and MaxPoolGrad. */
export function nativePoolAttributes(native: NativeBackend, geometry: WindowGeometry): NativeAttribute[] {
  const { kernel, stride, before, after } = geometry;
  const explicit = [...before, ...after].some((n) => n !== 0);
  return [
    attribute.type(native, "T", "float32"),
    attribute.ints(native, "ksize", [1, ...kernel, 1]),
    attribute.ints(native, "strides", [1, ...stride, 1]),
    attribute.string(native, "data_format", "NHWC"),
    attribute.string(native, "padding", explicit ? "EXPLICIT" : "VALID"),
    ...(explicit
      ? [
          attribute.ints(native, "explicit_paddings", [
            ...[0, 0, before[0], after[0]],
            ...[before[1], after[1], 0, 0],
          ]),
        ]
      : []),
  ];
}

/**
 * ∂L/∂x of a max pooling.
 *
 * @param x [batch, H, W, channels]
 * @param y the forward's output [batch, h, w, channels]
 * @param dy [batch, h, w, channels]
 */
export function maxPoolInputGradient(
  x: Tensor4D,
  y: Tensor4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const native = nativeBackend();
  if (native !== null)
    return native.executeSingleOutput("MaxPoolGrad", nativePoolAttributes(native, geometry), [
      x,
      y,
      dy,
    ]) as Tensor4D;
  const trace = activeTrace();
  if (trace !== null)
    return trace.run("MaxPoolGrad", { x, y, dy }, { ...geometry }, [x.shape])[0] as Tensor4D;
  return tf.tidy(() => composedGradient(x, y, dy, geometry));
}

function composedGradient(x: Tensor4D, y: Tensor4D, dy: Tensor4D, geometry: WindowGeometry): Tensor4D {
  const { kernel, stride, before, after } = geometry;
  const [, outHeight, outWidth] = y.shape;
  const padded = padOrCrop(x, before, after, -Infinity);
  let free = tf.onesLike(y);
  let dx: Tensor4D | undefined;
  for (let row = 0; row < kernel[0]; row++)
    for (let column = 0; column < kernel[1]; column++) {
      const isMaximum = tf.cast(
        tf.equal(readAt(padded, geometry, [row, column], [outHeight, outWidth]), y),
        "float32",
      );
      const chosen = tf.mul(isMaximum, free);
      free = tf.sub(free, chosen);
      const spreadPart = spread(tf.mul(dy, chosen), stride);
      const offset: [number, number] = [row - before[0], column - before[1]];
      const part = padOrCrop(spreadPart, offset, [
        x.shape[1] - spreadPart.shape[1] - offset[0],
        x.shape[2] - spreadPart.shape[2] - offset[1],
      ]);
      dx = dx === undefined ? part : tf.add(dx, part);
    }
  return dx!;
}
