import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { truncatedNormal, zeros } from "./initialisers.ts";
import { Module } from "./module.ts";
import { Parameter, type Initialiser } from "./parameter.ts";

export interface LinearOptions {
  /** Input channels. */
  in: number;
  /** Output channels. */
  out: number;
  /** Add a bias per output channel, zero at first. Default true. */
  bias?: boolean;
  /** Default: normal with standard deviation 0.02, cut at ±2, as transformers are initialised. */
  initialiser?: Initialiser;
}

/** A linear layer on the last axis: [..., in] → [..., out]. */
export class Linear extends Module {
  /** [out, in], in files as in memory. */
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(options: LinearOptions) {
    super();
    const { in: inputs, out, bias = true, initialiser = truncatedNormal(0.02) } = options;
    this.weight = new Parameter({ shape: [out, inputs], role: "weight", initialiser });
    this.bias = bias ? new Parameter({ shape: [out], role: "bias", initialiser: zeros }) : null;
  }

  forward<T extends Tensor>(x: T): T {
    return linear(x, this.weight.value<Tensor2D>(), this.bias?.value<Tensor1D>());
  }
}

/** x·Wᵀ + b on the last axis. */
export function linear<T extends Tensor>(x: T, weight: Tensor2D, bias?: Tensor1D): T {
  const [out, inputs] = weight.shape;
  const y = tf.matMul(tf.reshape(x, [-1, inputs]), weight, false, true);
  const shaped = tf.reshape(bias === undefined ? y : tf.add(y, bias), [...x.shape.slice(0, -1), out]);
  return shaped as T;
}
