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
import { isRefusedForm } from "../operation_error.ts";

/** The attributes of the kernels Conv2D and DepthwiseConv2dNative. */
export interface ConvAttributes {
  strides: [number, number] | number;
  pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  dataFormat: "NHWC" | "NCHW";
  dilations: [number, number] | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

type Shape4D = [number, number, number, number];

/**
 * The gradient of `tf.conv2d`. TF.js's own asserts dilation 1 and, natively, refuses explicit padding.
 * Native: TensorFlow's Conv2DBackpropInput and Conv2DBackpropFilter, which take any dilation and padding.
 * Portable: a convolution with the flipped kernel, and one matrix product for each element of the kernel.
 */
export const conv2dGradient: GradConfig = {
  kernelName: "Conv2D",
  inputsToSave: ["x", "filter"],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[], attributes: NamedAttrMap) => {
    const [x, kernel] = saved as [Tensor4D, Tensor4D];
    const geometry = convGeometry(x.shape, kernel.shape, attributes as unknown as ConvAttributes, false);
    return {
      x: () => conv2dInputGradient(x.shape, kernel, dy as Tensor4D, geometry),
      filter: () => conv2dKernelGradient(x, kernel.shape, dy as Tensor4D, geometry),
    };
  },
};

/** Where a convolution with these attributes reads. Throws for data that is not channels-last. */
export function convGeometry(
  x: Shape4D,
  kernel: Shape4D,
  attributes: ConvAttributes,
  depthwise: boolean,
): WindowGeometry {
  const { strides, dilations, pad, dimRoundingMode, dataFormat } = attributes;
  if (dataFormat === "NCHW") throw new Error("convolutions differentiate channels-last (NHWC) data only");
  return geometryOf(
    tf.backend_util.computeConv2DInfo(x, kernel, strides, dilations ?? 1, pad, dimRoundingMode, depthwise),
  );
}

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

/** Whether the padding is what TensorFlow calls "SAME", at stride 1. */
export function isSame({ kernel, stride, dilation, before, after }: WindowGeometry): boolean {
  return ([0, 1] as const).every((axis) => {
    const total = dilation[axis] * (kernel[axis] - 1);
    const first = Math.floor(total / 2);
    return stride[axis] === 1 && before[axis] === first && after[axis] === total - first;
  });
}

/** Whether the kernel's elements lie side by side. */
export function isUndilated({ dilation }: WindowGeometry): boolean {
  return dilation.every((n) => n === 1);
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

/** Runs the dilated form of a kernel where there is one: without oneDNN, TensorFlow's CPU has none. */
function orWithoutDilation(
  geometry: WindowGeometry,
  dilated: () => Tensor4D,
  other: () => Tensor4D,
): Tensor4D {
  try {
    return dilated();
  } catch (error) {
    if (!isRefusedForm(error) || isUndilated(geometry)) throw error;
    return other();
  }
}

/**
 * ∂L/∂x of a convolution.
 *
 * @param shape x's shape [batch, H, W, in]
 * @param kernel [kh, kw, in, out]
 * @param dy [batch, h, w, out]
 */
export function conv2dInputGradient(
  shape: Shape4D,
  kernel: Tensor4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const native = nativeBackend();
  const composed = () => {
    const flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
    const dilation = [...geometry.dilation] as [number, number];
    const [padded, pad] = forFlippedKernel(shape, dy, geometry);
    return tf.conv2d(padded, flipped, 1, pad, "NHWC", dilation);
  };
  const trace = activeTrace();
  if (trace !== null)
    return trace.run("Conv2DBackpropInput", { dy, filter: kernel }, { ...geometry }, [shape])[0] as Tensor4D;
  return tf.tidy(() => {
    if (native === null) return composed();
    return orWithoutDilation(
      geometry,
      () => nativeInputGradient(native, "Conv2DBackpropInput", shape, kernel, dy, geometry),
      composed,
    );
  });
}

/**
 * dy with its zeros between and around, and the padding with which a convolution of stride 1 with the flipped
 * kernel then gives ∂L/∂x.
 */
export function forFlippedKernel(
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): [dy: Tensor4D, pad: "same" | "valid"] {
  const symmetric = geometry.before.every((n, axis) => n === geometry.after[axis]);
  if (symmetric && isSame(geometry)) return [dy, "same"];
  const { kernel, dilation, stride, before } = geometry;
  const border = (axis: 0 | 1) => {
    const reach = dilation[axis] * (kernel[axis] - 1);
    const spreadSize = dy.shape[axis + 1]! * stride[axis];
    return { first: reach - before[axis], last: shape[axis + 1]! - spreadSize + before[axis] };
  };
  const [vertical, horizontal] = [border(0), border(1)];
  const first: [number, number] = [vertical.first, horizontal.first];
  const last: [number, number] = [vertical.last, horizontal.last];
  return [padOrCrop(spread(dy, stride), first, last), "valid"];
}

/**
 * ∂L/∂kernel of a convolution.
 *
 * @param x [batch, H, W, in]
 * @param shape the kernel's shape [kh, kw, in, out]
 * @param dy [batch, h, w, out]
 */
export function conv2dKernelGradient(
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const native = nativeBackend();
  const trace = activeTrace();
  if (trace !== null)
    return trace.run("Conv2DBackpropFilter", { x, dy }, { ...geometry }, [shape])[0] as Tensor4D;
  return tf.tidy(() => {
    if (native === null) return composedKernelGradient(x, shape, dy, geometry);
    const strided = geometry.stride.some((n) => n !== 1);
    return orWithoutDilation(
      geometry,
      () => nativeKernelGradient(native, "Conv2DBackpropFilter", x, shape, dy, geometry),
      () =>
        strided
          ? composedKernelGradient(x, shape, dy, geometry)
          : phaseKernelGradient(native, "Conv2DBackpropFilter", x, shape, dy, geometry),
    );
  });
}

function composedKernelGradient(
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const [rows, columns, inputs, outputs] = shape;
  const [, outHeight, outWidth] = dy.shape;
  const padded = padOrCrop(x, geometry.before, geometry.after);
  const flatDy = tf.reshape(dy, [-1, outputs]);
  const elements: Tensor[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const read = readAt(padded, geometry, [row, column], [outHeight, outWidth]);
      elements.push(tf.matMul(tf.reshape(read, [-1, inputs]), flatDy, true));
    }
  return tf.reshape(tf.stack(elements), shape);
}
