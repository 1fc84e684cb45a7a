import * as tf from "@tensorflow/tfjs";
import type { GradConfig, NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { padOrCrop, readAt, type WindowGeometry } from "../geometry.ts";
import { activeTrace, nativeBackend } from "../kernel.ts";
import {
  convGeometry,
  forFlippedKernel,
  isUndilated,
  type ConvAttributes,
  type Shape4D,
} from "./convolution.ts";
import { nativeInputGradient, nativeKernelGradient, phaseKernelGradient } from "./native_convolution.ts";

/**
 * The gradient of `tf.depthwiseConv2d`. TensorFlow's DepthwiseConv2dNativeBackprop… kernels compute
 * something else, without an error, where the dilation is above 1; TF.js has none on wasm.
 * Native: those kernels at dilation 1 only (a dilated convolution is one of dilation 1 over the phases that
 * spaceToBatchND separates). Portable: a convolution with the flipped kernel, and one sum of products for
 * each element of the kernel.
 */
export const depthwiseConv2dGradient: GradConfig = {
  kernelName: "DepthwiseConv2dNative",
  inputsToSave: ["x", "filter"],
  gradFunc: (dy: Tensor | Tensor[], saved: Tensor[], attributes: NamedAttrMap) => {
    const [x, kernel] = saved as [Tensor4D, Tensor4D];
    const geometry = convGeometry(x.shape, kernel.shape, attributes as unknown as ConvAttributes, true);
    return {
      x: () => depthwiseInputGradient(x.shape, kernel, dy as Tensor4D, geometry),
      filter: () => depthwiseKernelGradient(x, kernel.shape, dy as Tensor4D, geometry),
    };
  },
};

/**
 * ∂L/∂x of a depthwise convolution.
 *
 * @param shape x's shape [batch, H, W, C]
 * @param kernel [kh, kw, C, m]
 * @param dy [batch, h, w, C·m]
 */
export function depthwiseInputGradient(
  shape: Shape4D,
  kernel: Tensor4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const native = nativeBackend();
  const trace = activeTrace();
  if (trace !== null) {
    const inputs = { dy, filter: kernel };
    const name = "DepthwiseConv2dNativeBackpropInput";
    return trace.run(name, inputs, { ...geometry }, [shape])[0] as Tensor4D;
  }
  return tf.tidy(() => {
    if (native !== null && isUndilated(geometry))
      return nativeInputGradient(native, "DepthwiseConv2dNativeBackpropInput", shape, kernel, dy, geometry);
    const [rows, columns, channels, multiplier] = kernel.shape;
    const flipped = tf.reshape(tf.reverse(kernel, [0, 1]), [rows, columns, channels * multiplier, 1]);
    const dilation = [...geometry.dilation] as [number, number];
    const [padded, pad] = forFlippedKernel(shape, dy, geometry);
    const dx = tf.depthwiseConv2d(padded, flipped as Tensor4D, 1, pad, "NHWC", dilation);
    if (multiplier === 1) return dx;
    return tf.reshape(tf.sum(tf.reshape(dx, [-1, channels, multiplier]), 2), shape);
  });
}

/**
 * ∂L/∂kernel of a depthwise convolution.
 *
 * @param x [batch, H, W, C]
 * @param shape the kernel's shape [kh, kw, C, m]
 * @param dy [batch, h, w, C·m]
 */
export function depthwiseKernelGradient(
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const native = nativeBackend();
  const name = "DepthwiseConv2dNativeBackpropFilter";
  const trace = activeTrace();
  if (trace !== null) return trace.run(name, { x, dy }, { ...geometry }, [shape])[0] as Tensor4D;
  return tf.tidy(() => {
    if (native !== null && isUndilated(geometry))
      return nativeKernelGradient(native, name, x, shape, dy, geometry);
    if (native !== null && geometry.stride.every((n) => n === 1))
      return phaseKernelGradient(native, name, x, shape, dy, geometry);
    return composedKernelGradient(x, shape, dy, geometry);
  });
}

function composedKernelGradient(
  x: Tensor4D,
  shape: Shape4D,
  dy: Tensor4D,
  geometry: WindowGeometry,
): Tensor4D {
  const [rows, columns, channels, multiplier] = shape;
  const [, outHeight, outWidth] = dy.shape;
  const padded = padOrCrop(x, geometry.before, geometry.after);
  const perChannel = tf.reshape(dy, [-1, channels, multiplier]);
  const elements: Tensor[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const read = readAt(padded, geometry, [row, column], [outHeight, outWidth]);
      elements.push(tf.sum(tf.mul(tf.reshape(read, [-1, channels, 1]), perChannel), 0));
    }
  return tf.reshape(tf.stack(elements), shape);
}
