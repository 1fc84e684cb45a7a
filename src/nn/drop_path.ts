import type { Tensor } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import type { NetworkContext } from "./context.ts";
import { Module } from "./module.ts";

/**
 * Stochastic depth (Huang et al. 2016; timm's DropPath): in training drops a residual branch of a sample with probability
 * `p` and scales the others by 1/(1 − p). As with dropout, which ones depends on the run's seed, the iteration and the
 * sample's position in the global batch alone.
 */
export class DropPath extends Module {
  private readonly id: number;

  constructor(
    private readonly context: NetworkContext,
    private readonly p: number,
  ) {
    super();
    this.id = context.nextDropoutId();
  }

  /** [batch, ...], the same out; x itself outside training or where p is 0. */
  forward<T extends Tensor>(x: T): T {
    if (!this.context.training || this.p === 0) return x;
    const [batch = 0, ...rest] = x.shape;
    const kept = this.p < 1 ? 1 / (1 - this.p) : 0;
    const mask = Float32Array.from({ length: batch }, (_, sample) =>
      this.context.random(`drop_path/${this.id}`, sample).uniform() < this.p ? 0 : kept,
    );
    return tf.mul<T>(x, tf.tensor(mask, [batch, ...rest.map(() => 1)]));
  }
}
