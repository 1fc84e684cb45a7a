import type { Tensor4D } from "@tensorflow/tfjs";
import type { Activation } from "../engine/ops/index.ts";
import type { NetworkContext } from "./context.ts";
import { Conv2d, samePadding } from "./conv2d.ts";
import { makeNorm } from "./make_norm.ts";
import { Module } from "./module.ts";
import type { Norm } from "./norm.ts";

export interface ConvBnReluOptions {
  /** Height and width of the kernel; odd, so that the padding keeps the size. */
  kernel: number;
  in: number;
  out: number;
  /** Default 1. */
  stride?: number;
  /** Default 1. */
  dilation?: number;
  /** Default "relu". */
  activation?: Activation;
}

/** A {@link ConvBnRelu}, as plug-ins write it: `convBnRelu(context, { kernel: 3, in: 256, out: 64 })`. */
export function convBnRelu(context: NetworkContext, options: ConvBnReluOptions): ConvBnRelu {
  return new ConvBnRelu(context, options);
}

/**
 * Convolution without bias, normalisation (batch, unless `model.norm` says another), ReLU: [batch, height, width, in] → [batch, ⌈height/stride⌉,
 * ⌈width/stride⌉, out]. Weights: `conv.weight`, `bn.{weight, bias, running_mean, running_var}`.
 */
export class ConvBnRelu extends Module {
  readonly conv: Conv2d;
  readonly bn: Norm;
  private readonly activation: Activation;

  constructor(context: NetworkContext, options: ConvBnReluOptions) {
    super();
    const { kernel, stride, dilation } = options;
    const padding = samePadding(kernel, dilation);
    this.conv = new Conv2d({
      kernel,
      in: options.in,
      out: options.out,
      stride,
      padding,
      dilation,
      bias: false,
    });
    this.bn = makeNorm(options.out, context);
    this.activation = options.activation ?? "relu";
  }

  forward(x: Tensor4D): Tensor4D {
    return this.bn.forward(this.conv.forward(x), this.activation);
  }
}
