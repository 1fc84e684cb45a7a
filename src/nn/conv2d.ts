import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { conv2d, depthwiseConv2d } from "../engine/ops/index.ts";
import { kaimingNormalFanOut, kaimingNormalFanOutDepthwise, zeros } from "./initialisers.ts";
import { Module } from "./module.ts";
import { Parameter, type Initialiser } from "./parameter.ts";

interface ConvGeometry {
  /** Height and width of the kernel. */
  kernel: number;
  /** Default 1. */
  stride?: number;
  /** Zeros added on every side, as in PyTorch. Default 0. */
  padding?: number;
  /** Default 1. */
  dilation?: number;
  /** Default: Kaiming normal, fan-out. */
  initialiser?: Initialiser;
}

export interface Conv2dOptions extends ConvGeometry {
  /** Input channels. */
  in: number;
  /** Output channels. */
  out: number;
  /** Add a bias per output channel, zero at first. Default true, as in PyTorch. */
  bias?: boolean;
  /** As of {@link ParameterOptions}: for a backbone's first convolution. */
  seesImage?: boolean;
}

/** The padding that keeps the size at stride 1: dilation·(kernel − 1)/2. */
export function samePadding(kernel: number, dilation = 1): number {
  return (dilation * (kernel - 1)) / 2;
}

/** Convolution [batch, height, width, in] → [batch, height', width', out]. */
export class Conv2d extends Module {
  /** [kernel, kernel, in, out]. */
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  private readonly geometry: { stride: number; padding: number; dilation: number };

  constructor(options: Conv2dOptions) {
    super();
    const { kernel, stride = 1, padding = 0, dilation = 1, bias = true } = options;
    this.geometry = { stride, padding, dilation };
    this.weight = new Parameter({
      shape: [kernel, kernel, options.in, options.out],
      layout: "conv",
      role: "weight",
      initialiser: options.initialiser ?? kaimingNormalFanOut,
      ...(options.seesImage === undefined ? {} : { seesImage: options.seesImage }),
    });
    this.bias = bias ? new Parameter({ shape: [options.out], role: "bias", initialiser: zeros }) : null;
  }

  forward(x: Tensor4D): Tensor4D {
    const y = conv2d(x, this.weight.value<Tensor4D>(), this.geometry);
    return this.bias === null ? y : tf.add(y, this.bias.value<Tensor1D>());
  }
}

export interface DepthwiseConv2dOptions extends ConvGeometry {
  channels: number;
  /** Output channels per input channel; channel c·multiplier + j comes from input channel c. Default 1. */
  multiplier?: number;
}

/** Depthwise convolution without bias: [batch, height, width, C] → [batch, height', width', C·multiplier]. */
export class DepthwiseConv2d extends Module {
  /** [kernel, kernel, C, multiplier]. */
  readonly weight: Parameter;
  private readonly geometry: { stride: number; padding: number; dilation: number };

  constructor(options: DepthwiseConv2dOptions) {
    super();
    const { kernel, channels, multiplier = 1, stride = 1, padding = 0, dilation = 1 } = options;
    this.geometry = { stride, padding, dilation };
    this.weight = new Parameter({
      shape: [kernel, kernel, channels, multiplier],
      layout: "depthwise",
      role: "weight",
      initialiser: options.initialiser ?? kaimingNormalFanOutDepthwise,
    });
  }

  forward(x: Tensor4D): Tensor4D {
    return depthwiseConv2d(x, this.weight.value<Tensor4D>(), this.geometry);
  }
}
