import * as tf from "@tensorflow/tfjs";
import type { TensorInfo } from "@tensorflow/tfjs";
import { each, input, output, type ShapedOutput, type ShapeFunctions } from "./types.ts";

// Operations over windows of maps: convolutions, poolings, and their gradients.

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];

function convolution(
  x: TensorInfo,
  filter: TensorInfo,
  attributes: tf.Conv2DAttrs,
  depthwise: boolean,
): ShapedOutput[] {
  const { strides, pad, dilations, dimRoundingMode, dataFormat } = attributes;
  const info = tf.backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filter.shape as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
    dataFormat === "NCHW" ? "channelsFirst" : "channelsLast",
  );
  if (info.inChannels !== filter.shape[2])
    throw new Error(
      `a convolution of ${info.inChannels} channels with a kernel [${filter.shape.join(", ")}]`,
    );
  return output(info.outShape, x.dtype);
}

function pooling(x: TensorInfo, attributes: tf.MaxPoolAttrs): number[] {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  return tf.backend_util.computePool2DInfo(x.shape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode)
    .outShape;
}

const like = (name: string) => (inputs: Parameters<typeof input>[0]) =>
  output(input(inputs, name).shape, input(inputs, name).dtype);

export const windows: ShapeFunctions = {
  ...each(["Conv2D", "FusedConv2D"], (inputs, attributes: tf.Conv2DAttrs) =>
    convolution(input(inputs, "x"), input(inputs, "filter"), attributes, false),
  ),
  ...each(["DepthwiseConv2dNative", "FusedDepthwiseConv2D"], (inputs, attributes: tf.Conv2DAttrs) =>
    convolution(input(inputs, "x"), input(inputs, "filter"), attributes, true),
  ),
  ...each(
    [
      ...["Conv2DBackpropInput", "DepthwiseConv2dNativeBackpropInput", "Conv3DBackpropInputV2"],
      ...["Conv3DBackpropInput"],
    ],
    (inputs, { inputShape }: { inputShape: number[] }) => output(inputShape, input(inputs, "dy").dtype),
  ),
  ...each(
    [
      ...["Conv2DBackpropFilter", "DepthwiseConv2dNativeBackpropFilter", "Conv3DBackpropFilterV2"],
      ...["Conv3DBackpropFilter"],
    ],
    (inputs, { filterShape }: { filterShape: number[] }) => output(filterShape, input(inputs, "dy").dtype),
  ),
  Conv3D: (inputs, { strides, pad, dilations }: tf.Conv3DAttrs) => {
    const [x, filter] = [input(inputs, "x"), input(inputs, "filter")];
    const shapes = [x.shape as Shape5D, filter.shape as Shape5D] as const;
    return output(tf.backend_util.computeConv3DInfo(...shapes, strides, dilations, pad).outShape, x.dtype);
  },
  ...each(["MaxPool", "AvgPool"], (inputs, attributes: tf.MaxPoolAttrs) =>
    output(pooling(input(inputs, "x"), attributes), input(inputs, "x").dtype),
  ),
  MaxPoolWithArgmax: (inputs, attributes: tf.MaxPoolWithArgmaxAttrs) => {
    const x = input(inputs, "x");
    const shape = pooling(x, attributes);
    return [...output(shape, x.dtype), ...output(shape, "int32")];
  },
  ...each(["MaxPool3D", "AvgPool3D"], (inputs, attributes: tf.MaxPool3DAttrs) => {
    const x = input(inputs, "x");
    const { filterSize, strides, pad, dimRoundingMode, dataFormat } = attributes;
    const info = tf.backend_util.computePool3DInfo(
      x.shape as Shape5D,
      filterSize,
      strides,
      1,
      pad,
      dimRoundingMode,
      dataFormat,
    );
    return output(info.outShape, "float32");
  }),
  ...each(["MaxPoolGrad", "AvgPoolGrad", "MaxPool3DGrad", "AvgPool3DGrad"], like("input")),
  Dilation2D: (inputs, { strides, pad, dilations }: tf.Dilation2DAttrs) => {
    const [x, filter] = [input(inputs, "x"), input(inputs, "filter")];
    const shapes = [x.shape as Shape4D, filter.shape as [number, number, number]] as const;
    const info = tf.backend_util.computeDilation2DInfo(...shapes, strides, pad, "NHWC", dilations);
    return output(info.outShape, x.dtype);
  },
  ...each(["FusedBatchNorm", "LRN"], like("x")),
  LRNGrad: like("x"),
};
