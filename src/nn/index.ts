export { Gelu, Relu, Relu6 } from "./activation.ts";
export { addResidual } from "./add_residual.ts";
export { MultiHeadAttention } from "./attention.ts";
export { BatchNorm2d } from "./batch_norm.ts";
export { checkpointed, withoutTape } from "./checkpointed.ts";
export { NetworkContext } from "./context.ts";
export {
  Conv2d,
  DepthwiseConv2d,
  samePadding,
  type Conv2dOptions,
  type DepthwiseConv2dOptions,
} from "./conv2d.ts";
export { ConvBnRelu, convBnRelu, type ConvBnReluOptions } from "./conv_bn_relu.ts";
export { DropPath } from "./drop_path.ts";
export { Dropout2d } from "./dropout.ts";
export { GroupNorm } from "./group_norm.ts";
export {
  kaimingNormalFanOut,
  kaimingNormalFanOutDepthwise,
  normal,
  ones,
  truncatedNormal,
  xavierUniform,
  zeros,
} from "./initialisers.ts";
export { LayerNorm } from "./layer_norm.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export { makeNorm } from "./make_norm.ts";
export { concatResized, convOfConcat, sumOfOthers, sumResized } from "./maps.ts";
export { materialise } from "./materialise.ts";
export { Module } from "./module.ts";
export { Norm, type NormOptions } from "./norm.ts";
export { Parameter, type Initialiser, type ParameterLayout } from "./parameter.ts";
export { PositionEmbedding } from "./position_embedding.ts";
export { resizeLike, resizeTo } from "./resize.ts";
export { sequential, type Layer } from "./sequential.ts";
