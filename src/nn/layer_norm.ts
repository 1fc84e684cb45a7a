import type { Tensor, Tensor1D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { activate, standardise, type Activation } from "../engine/ops/index.ts";
import { ones, zeros } from "./initialisers.ts";
import { Norm } from "./norm.ts";
import { Parameter } from "./parameter.ts";

/**
 * Layer normalisation over the last axis (Ba et al. 2016; PyTorch's `LayerNorm(channels)`): of tokens [batch, n, channels]
 * and, at each position, of maps [batch, height, width, channels].
 */
export class LayerNorm extends Norm {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(
    channels: number,
    private readonly epsilon = 1e-5,
  ) {
    super();
    this.weight = new Parameter({ shape: [channels], role: "norm_weight", initialiser: ones });
    this.bias = new Parameter({ shape: [channels], role: "norm_bias", initialiser: zeros });
  }

  /** Any shape [..., channels], the same out. */
  forward<T extends Tensor>(x: T, activation: Activation = "none"): T {
    const y = standardise(x, [x.rank - 1], this.epsilon);
    const scaled = tf.mul<T>(y, this.weight.value<Tensor1D>());
    return activate(tf.add<T>(scaled, this.bias.value<Tensor1D>()), activation);
  }
}
