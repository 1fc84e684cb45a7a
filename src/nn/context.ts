import { Random } from "../util/random.ts";
import type { NormOptions } from "./norm.ts";

/**
 * What all parts of one network share: how it resizes, whether it trains at the moment, and where its
 * random numbers come from. One per network; the runner sets `training` and `step` before a forward pass.
 */
export class NetworkContext {
  /** True during a training step: batch statistics, dropout. */
  training = false;
  /**
   * True while a block's forward pass runs a second time inside the backward pass (`with_cp`): running
   * statistics were updated in the first and stay as they are.
   */
  recomputing = false;
  /**
   * True to carry out every operation as the papers write it, without the exact rewrites that save arithmetic
   * (`convOfConcat`). Multiply-adds are counted this way, as other frameworks count theirs.
   */
  literal = false;
  /** Where the run stands; dropout's masks depend on it and on nothing else. */
  step = { seed: 0, iteration: 0, firstSample: 0 };
  private dropouts = 0;

  constructor(readonly options: { readonly alignCorners: boolean; readonly norm?: NormOptions }) {}

  get alignCorners(): boolean {
    return this.options.alignCorners;
  }

  /** What every normalisation of the network is; default: batch. */
  get norm(): NormOptions {
    return this.options.norm ?? { type: "batch", groups: 32 };
  }

  /** A number that is the same for the same layer in every run of the same config. */
  nextDropoutId(): number {
    return this.dropouts++;
  }

  /** The stream for one sample (position in the global batch) of the current iteration. */
  random(purpose: string, sample: number): Random {
    const { seed, iteration, firstSample } = this.step;
    return new Random(seed, iteration, firstSample + sample, purpose);
  }
}
