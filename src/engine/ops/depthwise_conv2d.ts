import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import type { ConvOptions } from "../geometry.ts";
import { activeTrace } from "../kernel.ts";
import { asWritten, everyNth, tfjsPadding } from "./conv2d.ts";

/**
 * A depthwise convolution with PyTorch's symmetric padding; differentiable in x and kernel.
 *
 * @param x [batch, height, width, C]
 * @param kernel [kh, kw, C, m]: m outputs for each channel
 * @returns [batch, h, w, C·m], sizes as of {@link conv2d}
 */
export function depthwiseConv2d(x: Tensor4D, kernel: Tensor4D, options: ConvOptions = {}): Tensor4D {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  if (stride > 1 && dilation > 1) {
    if (activeTrace() !== null)
      return asWritten("DepthwiseConv2dNative", x, kernel, { stride, padding, dilation });
    return everyNth(
      tf.depthwiseConv2d(x, kernel, 1, tfjsDepthwisePadding(kernel, 1, padding, dilation), "NHWC", dilation),
      stride,
    );
  }
  return tf.depthwiseConv2d(
    x,
    kernel,
    stride,
    tfjsDepthwisePadding(kernel, stride, padding, dilation),
    "NHWC",
    dilation,
  );
}

function tfjsDepthwisePadding(kernel: Tensor4D, stride: number, padding: number, dilation: number) {
  // TF.js's declaration forgets explicit padding, which its kernels take.
  return tfjsPadding(kernel, stride, padding, dilation) as "valid" | "same";
}
