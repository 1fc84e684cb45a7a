import type { Tensor4D } from "@tensorflow/tfjs";
import { addResidual } from "../../nn/add_residual.ts";
import type { NetworkContext } from "../../nn/context.ts";
import { Conv2d, samePadding } from "../../nn/conv2d.ts";
import { makeNorm } from "../../nn/make_norm.ts";
import { Module } from "../../nn/module.ts";
import type { Norm } from "../../nn/norm.ts";
import { sequential, type Layer } from "../../nn/sequential.ts";

/** Where a bottleneck strides: `pytorch` on its 3×3, `caffe` (the original weights) on its first 1×1. */
export type Style = "pytorch" | "caffe";

export interface BlockOptions {
  in: number;
  /** Channels inside the block; the block puts out `planes · expansion`. */
  planes: number;
  stride: 1 | 2;
  dilation: number;
  style: Style;
}

/** The two kinds of block, with torchvision's weight names. */
export interface BlockType {
  readonly expansion: number;
  new (context: NetworkContext, options: BlockOptions): Layer;
}

function conv(kernel: 1 | 3, channelsIn: number, out: number, stride: 1 | 2 = 1, dilation = 1): Conv2d {
  const padding = samePadding(kernel, dilation);
  return new Conv2d({ kernel, in: channelsIn, out, stride, padding, dilation, bias: false });
}

/** The 1×1 convolution and normalisation of a shortcut whose shape changes; null where it does not. */
function downsample(context: NetworkContext, options: BlockOptions, out: number): Layer[] | null {
  if (options.stride === 1 && options.in === out) return null;
  return [conv(1, options.in, out, options.stride), makeNorm(out, context)];
}

/** Two 3×3 convolutions (He et al. 2016); only the first is dilated, as in mmsegmentation. */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: Norm;
  readonly conv2: Conv2d;
  readonly bn2: Norm;
  readonly downsample: Layer[] | null;

  constructor(context: NetworkContext, options: BlockOptions) {
    super();
    const { planes, stride, dilation } = options;
    this.conv1 = conv(3, options.in, planes, stride, dilation);
    this.bn1 = makeNorm(planes, context);
    this.conv2 = conv(3, planes, planes);
    this.bn2 = makeNorm(planes, context);
    this.downsample = downsample(context, options, planes);
  }

  forward(x: Tensor4D): Tensor4D {
    const y = this.bn1.forward(this.conv1.forward(x), "relu");
    const residual = this.bn2.forward(this.conv2.forward(y));
    return addResidual(residual, this.downsample === null ? x : sequential(this.downsample, x), "relu");
  }
}

/** 1×1, 3×3, 1×1 with four times as many channels out (He et al. 2016). */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: Norm;
  readonly conv2: Conv2d;
  readonly bn2: Norm;
  readonly conv3: Conv2d;
  readonly bn3: Norm;
  readonly downsample: Layer[] | null;

  constructor(context: NetworkContext, options: BlockOptions) {
    super();
    const { planes, stride, dilation, style } = options;
    const out = planes * Bottleneck.expansion;
    this.conv1 = conv(1, options.in, planes, style === "caffe" ? stride : 1);
    this.bn1 = makeNorm(planes, context);
    this.conv2 = conv(3, planes, planes, style === "caffe" ? 1 : stride, dilation);
    this.bn2 = makeNorm(planes, context);
    this.conv3 = conv(1, planes, out);
    this.bn3 = makeNorm(out, context);
    this.downsample = downsample(context, options, out);
  }

  forward(x: Tensor4D): Tensor4D {
    const y = this.bn1.forward(this.conv1.forward(x), "relu");
    const z = this.bn2.forward(this.conv2.forward(y), "relu");
    const residual = this.bn3.forward(this.conv3.forward(z));
    return addResidual(residual, this.downsample === null ? x : sequential(this.downsample, x), "relu");
  }
}
