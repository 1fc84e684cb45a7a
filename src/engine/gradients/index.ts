import * as tf from "@tensorflow/tfjs";
import type { GradConfig } from "@tensorflow/tfjs";
import { conv2dGradient } from "./conv2d.ts";
import { depthwiseConv2dGradient } from "./depthwise_conv2d.ts";
import { fusedBatchNormGradient } from "./fused_batch_norm.ts";
import { maxPoolGradient } from "./max_pool.ts";
import { relu6Gradient, reluGradient } from "./relu.ts";
import { resizeBilinearGradient } from "./resize_bilinear.ts";

const corrected: readonly GradConfig[] = [
  conv2dGradient,
  depthwiseConv2dGradient,
  fusedBatchNormGradient,
  maxPoolGradient,
  reluGradient,
  relu6Gradient,
  resizeBilinearGradient,
];

/**
 * Replaces the gradients that TF.js 4.22 has wrong, slow or not at all, for every backend, so that plain
 * `tf.conv2d`, `tf.image.resizeBilinear` and their like differentiate rightly. May be called again.
 */
export function registerGradients(): void {
  for (const config of corrected) {
    if (tf.getGradient(config.kernelName) != null) tf.unregisterGradient(config.kernelName);
    tf.registerGradient(config);
  }
}
