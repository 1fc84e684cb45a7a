export { Relu, Relu6 } from "./activation.ts";
export { addResidual } from "./add_residual.ts";
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
export { Dropout2d } from "./dropout.ts";
export { kaimingNormalFanOut, kaimingNormalFanOutDepthwise, normal, ones, zeros } from "./initialisers.ts";
export { concatResized, convOfConcat, sumOfOthers, sumResized } from "./maps.ts";
export { materialise } from "./materialise.ts";
export { Module } from "./module.ts";
export { Parameter, type Initialiser, type ParameterLayout } from "./parameter.ts";
export { resizeLike, resizeTo } from "./resize.ts";
export { sequential, type Layer } from "./sequential.ts";
