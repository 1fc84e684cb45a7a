import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { geometryOf, padOrCrop, spread, type WindowGeometry } from "../geometry.ts";

// What the gradients of plain and depthwise convolutions share on every engine.

/** The attributes of the kernels Conv2D and DepthwiseConv2dNative. */
export interface ConvAttributes {
  strides: [number, number] | number;
  pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  dataFormat: "NHWC" | "NCHW";
  dilations: [number, number] | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

export type Shape4D = [number, number, number, number];

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
