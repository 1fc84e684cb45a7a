import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { padOrCrop, readAt, type WindowGeometry } from "../geometry.ts";
import { attribute, type NativeAttribute, type NativeBackend } from "../kernel.ts";
import { isSame, type Shape4D } from "./convolution.ts";

// TensorFlow's own gradient kernels of plain and depthwise convolutions, called in the forms that it computes rightly.

/** The attributes that Conv2D, depthwise convolutions and their gradients have in common. */
export function nativeConvAttributes(
  native: NativeBackend,
  { stride, dilation }: Pick<WindowGeometry, "stride" | "dilation">,
  padding: "SAME" | "VALID",
): NativeAttribute[] {
  return [
    attribute.type(native, "T", "float32"),
    attribute.ints(native, "strides", [1, ...stride, 1]),
    attribute.ints(native, "dilations", [1, ...dilation, 1]),
    attribute.string(native, "data_format", "NHWC"),
    attribute.string(native, "padding", padding),
  ];
}

/**
 * Runs one of TensorFlow's gradient kernels with respect to x. Explicit padding takes them off oneDNN's path,
 * where they are slower and refuse dilations: x is thought padded, and its border cut off after.
 */
export function nativeInputGradient(
  native: NativeBackend,
  name: "Conv2DBackpropInput" | "DepthwiseConv2dNativeBackpropInput",
  [batch, height, width, channels]: Shape4D,
  kernel: Tensor4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const same = isSame(geometry);
  const [[top, left], [bottom, right]] = same
    ? [
        [0, 0],
        [0, 0],
      ]
    : [geometry.before, geometry.after];
  const padded = tf.tensor1d([batch, height + top + bottom, width + left + right, channels], "int32");
  const attributes = nativeConvAttributes(native, geometry, same ? "SAME" : "VALID");
  const dx = native.executeSingleOutput(name, attributes, [padded, kernel, dy]) as Tensor4D;
  return padOrCrop(dx, [-top, -left], [-bottom, -right]);
}

/** Runs one of TensorFlow's gradient kernels with respect to the kernel; as {@link nativeInputGradient}. */
export function nativeKernelGradient(
  native: NativeBackend,
  name: "Conv2DBackpropFilter" | "DepthwiseConv2dNativeBackpropFilter",
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  if (skipsPixels(geometry))
    return nativeKernelGradient(native, name, ...withoutStride(x, shape, dy, geometry));
  const same = isSame(geometry);
  const padded = same ? x : padOrCrop(x, geometry.before, geometry.after);
  const attributes = nativeConvAttributes(native, geometry, same ? "SAME" : "VALID");
  return native.executeSingleOutput(name, attributes, [padded, tf.tensor1d(shape, "int32"), dy]) as Tensor4D;
}

/** Whether it is a strided convolution of one element, as in a residual block's shortcut. */
function skipsPixels({ kernel, stride }: WindowGeometry): boolean {
  return kernel.every((n) => n === 1) && stride.some((n) => n !== 1);
}

/**
 * A strided 1×1 convolution as one of stride 1 over the pixels that it reads. oneDNN's gradient of the strided
 * form (TensorFlow 2.21, AVX-512) writes outside its memory where x has fewer than eight channels: the heap is
 * corrupt and the values are wrong.
 */
function withoutStride(
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): [x: Tensor4D, shape: Shape4D, dy: Tensor4D, geometry: WindowGeometry] {
  const padded = padOrCrop(x, geometry.before, geometry.after);
  const read = readAt(padded, geometry, [0, 0], [dy.shape[1], dy.shape[2]]);
  const plain: WindowGeometry = {
    kernel: geometry.kernel,
    stride: [1, 1],
    dilation: [1, 1],
    before: [0, 0],
    after: [0, 0],
  };
  return [read, shape, dy, plain];
}

/**
 * {@link nativeKernelGradient} of a dilated convolution of stride 1 by kernels that know no dilation: the
 * phases of x and dy, which spaceToBatchND separates, become batch entries of a convolution of dilation 1.
 */
export function phaseKernelGradient(
  native: NativeBackend,
  name: "Conv2DBackpropFilter" | "DepthwiseConv2dNativeBackpropFilter",
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  { kernel, dilation, before, after }: WindowGeometry,
): Tensor4D {
  // Zeros make dy whole phases. x's reach beyond dy is a whole number of dilations, so it takes the same.
  const extra = ([0, 1] as const).map((axis) => {
    const size = dy.shape[axis + 1]!;
    return Math.ceil(size / dilation[axis]) * dilation[axis] - size;
  }) as [number, number];
  const phases = (t: Tensor4D): Tensor4D =>
    tf.spaceToBatchND(
      t,
      [...dilation],
      [
        [0, 0],
        [0, 0],
      ],
    );
  const plain: WindowGeometry = { kernel, stride: [1, 1], dilation: [1, 1], before: [0, 0], after: [0, 0] };
  return nativeKernelGradient(
    native,
    name,
    phases(padOrCrop(x, before, [after[0] + extra[0], after[1] + extra[1]])),
    shape,
    phases(padOrCrop(dy, [0, 0], extra)),
    plain,
  );
}
