import type { Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { customOp } from "../engine/custom_op.ts";
import type { NetworkContext } from "./context.ts";
import { Module } from "./module.ts";

/**
 * Drops whole channels of a sample with probability `p` in training and scales the rest by 1/(1 − p)
 * (Tompson et al. 2015, PyTorch's Dropout2d). A sample's mask depends on the run's seed, the iteration, its
 * position in the global batch and on which dropout of the network this is, and on nothing else.
 */
export class Dropout2d extends Module {
  private readonly id: number;

  constructor(
    private readonly context: NetworkContext,
    private readonly p: number,
  ) {
    super();
    this.id = context.nextDropoutId();
  }

  /**
   * [batch, height, width, channels], the same out; x itself outside training or where p is 0.
   *
   * @param first where x is a part of a concatenation that is never made as a whole: the place of x's first
   * channel in it, so that its mask is what the whole would have had there
   */
  forward(x: Tensor4D, first = 0): Tensor4D {
    if (!this.context.training || this.p === 0) return x;
    return scaleChannels(x, this.mask(x.shape[0], first, x.shape[3]));
  }

  private mask(batch: number, first: number, channels: number): Float32Array {
    const mask = new Float32Array(batch * channels);
    const kept = this.p < 1 ? 1 / (1 - this.p) : 0;
    for (let sample = 0; sample < batch; sample++) {
      const random = this.context.random(`dropout/${this.id}`, sample);
      for (let skipped = 0; skipped < first; skipped++) random.uniform();
      for (let c = 0; c < channels; c++) mask[sample * channels + c] = random.uniform() < this.p ? 0 : kept;
    }
    return mask;
  }
}

/** x·mask, with a gradient that keeps the small mask alone: `tf.mul` would keep x as well until the step ends. */
function scaleChannels(x: Tensor4D, values: Float32Array): Tensor4D {
  const [y] = customOp(
    { x },
    (save) => {
      const mask = tf.tensor4d(values, [x.shape[0], 1, 1, x.shape[3]]);
      save([mask]);
      return [tf.mul(x, mask)];
    },
    ([dy], [mask]) => [tf.mul(dy!, mask!)],
  );
  return y as Tensor4D;
}
