import * as tf from "@tensorflow/tfjs";
import type { GradConfig, NamedAttrMap, Tensor, Tensor4D } from "@tensorflow/tfjs";
import { padOrCrop, readAt, type WindowGeometry } from "../geometry.ts";
import { activeTrace, nativeBackend } from "../kernel.ts";
import { isRefusedForm } from "../operation_error.ts";
import {
  convGeometry,
  forFlippedKernel,
  isUndilated,
  type ConvAttributes,
  type Shape4D,
} from "./convolution.ts";
import { nativeInputGradient, nativeKernelGradient, phaseKernelGradient } from "./native_convolution.ts";

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
