import * as tf from "@tensorflow/tfjs";
import type { GradConfig, NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { geometryOf, padOrCrop, readAt, spread, type WindowGeometry } from "../geometry.ts";
import { attribute, nativeBackend, type NativeAttribute, type NativeBackend } from "../kernel.ts";

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
export function nativeConvAttributes(native: NativeBackend, geometry: WindowGeometry): NativeAttribute[] {
  const { stride, dilation, before, after } = geometry;
  const explicit = [...before, ...after].some((n) => n !== 0);
  return [
    attribute.type(native, "T", "float32"),
    attribute.ints(native, "strides", [1, ...stride, 1]),
    attribute.ints(native, "dilations", [1, ...dilation, 1]),
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
  return tf.tidy(() => {
    if (native !== null)
      return native.executeSingleOutput("Conv2DBackpropInput", nativeConvAttributes(native, geometry), [
        tf.tensor1d(shape, "int32"),
        kernel,
        dy,
      ]) as Tensor4D;
    const flipped = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2]);
    return tf.conv2d(spreadForInput(shape, dy, geometry), flipped, 1, "valid", "NHWC", [
      ...geometry.dilation,
    ] as [number, number]);
  });
}

/**
 * dy with its zeros between and around, so that a "valid" convolution of stride 1 with the flipped kernel
 * gives ∂L/∂x.
 */
export function spreadForInput(shape: Shape4D, dy: Tensor4D, geometry: WindowGeometry): Tensor4D {
  const { kernel, dilation, stride, before } = geometry;
  const border = (axis: 0 | 1) => {
    const reach = dilation[axis] * (kernel[axis] - 1);
    const spreadSize = dy.shape[axis + 1]! * stride[axis];
    return { first: reach - before[axis], last: shape[axis + 1]! - spreadSize + before[axis] };
  };
  const [vertical, horizontal] = [border(0), border(1)];
  return padOrCrop(spread(dy, stride), [vertical.first, horizontal.first], [vertical.last, horizontal.last]);
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
  return tf.tidy(() => {
    if (native !== null)
      return native.executeSingleOutput("Conv2DBackpropFilter", nativeConvAttributes(native, geometry), [
        x,
        tf.tensor1d(shape, "int32"),
        dy,
      ]) as Tensor4D;
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
  });
}
