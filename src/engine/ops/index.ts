/** Operations of segmentation networks, differentiable once on every engine. All data is channels-last. */
export type { ConvOptions } from "../geometry.ts";
export type { Activation } from "../gradients/relu.ts";
export { activate } from "../gradients/relu.ts";
export { relu, relu6 } from "./activation.ts";
export { addRelu } from "./add_relu.ts";
export { adamWUpdate, type AdamWOptions, type AdamWState } from "./adamw_update.ts";
export { adaptiveAvgPool } from "./adaptive_avg_pool.ts";
export { batchNorm, type BatchNormOptions } from "./batch_norm.ts";
export {
  batchNormTraining,
  type BatchNormTrainingOptions,
  type BatchNormTrainingResult,
} from "./batch_norm_training.ts";
export { conv2d } from "./conv2d.ts";
export { depthwiseConv2d } from "./depthwise_conv2d.ts";
export { gelu } from "./gelu.ts";
export { maxPool, type PoolOptions } from "./max_pool.ts";
export { resizeBicubic } from "./resize_bicubic.ts";
export { resizeBilinear } from "./resize_bilinear.ts";
export { sgdMomentumUpdate, type SgdMomentumOptions } from "./sgd_momentum_update.ts";
export { standardise } from "./standardise.ts";
export {
  softmaxCrossEntropy,
  type PixelLosses,
  type SoftmaxCrossEntropyOptions,
} from "./softmax_cross_entropy.ts";
