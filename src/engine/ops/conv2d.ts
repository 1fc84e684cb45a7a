import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { padOrCrop, spread, type ConvOptions } from "../geometry.ts";
import { activeTrace } from "../kernel.ts";

type Padding = "valid" | "same" | tf.backend_util.ExplicitPadding;

/**
 * A convolution with PyTorch's symmetric padding; differentiable in x and kernel.
 *
 * @param x [batch, height, width, in]
 * @param kernel [kh, kw, in, out] (HWIO)
 * @returns [batch, ⌊(height + 2·padding − dilation·(kh − 1) − 1) / stride⌋ + 1, …, out]
 */
export function conv2d(x: Tensor4D, kernel: Tensor4D, options: ConvOptions = {}): Tensor4D {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  const pad = tfjsPadding(kernel, stride, padding, dilation);
  // TF.js takes a stride or a dilation, not both: the positions that the stride leaves out are dropped after.
  if (stride > 1 && dilation > 1) {
    if (activeTrace() !== null) return asWritten("Conv2D", x, kernel, { stride, padding, dilation });
    return everyNth(
      tf.conv2d(x, kernel, 1, tfjsPadding(kernel, 1, padding, dilation), "NHWC", dilation),
      stride,
    );
  }
  return tf.conv2d(x, kernel, stride, pad, "NHWC", dilation);
}

/** Runs a convolution's kernel without the checks of `tf.conv2d`, which refuses a stride beside a dilation. */
export function asWritten(
  kernelName: "Conv2D" | "DepthwiseConv2dNative",
  x: Tensor4D,
  kernel: Tensor4D,
  { stride, padding, dilation }: Required<ConvOptions>,
): Tensor4D {
  const pad = tfjsPadding(kernel, stride, padding, dilation);
  const attributes = { strides: stride, pad, dataFormat: "NHWC", dilations: dilation };
  return tf.engine().runKernel<Tensor4D>(kernelName, { x, filter: kernel }, attributes);
}

/** Padding as TF.js has it: by name where a name says the same, since kernels are fastest so. */
export function tfjsPadding(kernel: Tensor4D, stride: number, padding: number, dilation: number): Padding {
  if (padding === 0) return "valid";
  const [height, width] = kernel.shape;
  if (stride === 1 && [height, width].every((n) => dilation * (n - 1) === 2 * padding)) return "same";
  return [
    [0, 0],
    [padding, padding],
    [padding, padding],
    [0, 0],
  ];
}

/** Rows and columns 0, n, 2n, … of x; differentiable, as `tf.stridedSlice` is not. */
export function everyNth(x: Tensor4D, n: number): Tensor4D {
  const [y] = customOp(
    { x },
    () => [tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, n, n, 1])],
    ([dy]) => {
      const dx = spread(dy as Tensor4D, [n, n]);
      return [padOrCrop(dx, [0, 0], [x.shape[1] - dx.shape[1], x.shape[2] - dx.shape[2]])];
    },
  );
  return y as Tensor4D;
}
