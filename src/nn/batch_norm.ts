import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { batchNorm, batchNormTraining, type Activation } from "../engine/ops/index.ts";
import { SegfuseError } from "../errors.ts";
import type { NetworkContext } from "./context.ts";
import { ones, zeros } from "./initialisers.ts";
import { Norm } from "./norm.ts";
import { Parameter } from "./parameter.ts";

const epsilon = 1e-5;
/** In PyTorch's sense: the share of the new batch in the running statistics. */
const momentum = 0.1;

/**
 * Batch normalisation over batch, height and width (Ioffe and Szegedy 2015), epsilon 1e-5, as PyTorch's:
 * in training the batch's own mean and biased variance normalise, and running = 0.9·running + 0.1·batch
 * with the unbiased variance; otherwise the running statistics normalise.
 */
export class BatchNorm2d extends Norm {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Parameter;
  readonly running_var: Parameter;
  /** Use the running statistics in training as well, and leave them as they are (`norm_eval`, frozen stages). */
  frozenStatistics: boolean;

  constructor(
    channels: number,
    private readonly context: NetworkContext,
    options: { frozenStatistics?: boolean } = {},
  ) {
    super();
    const shape = [channels];
    this.weight = new Parameter({ shape, role: "norm_weight", initialiser: ones });
    this.bias = new Parameter({ shape, role: "norm_bias", initialiser: zeros });
    this.running_mean = new Parameter({ shape, role: "running_mean", initialiser: zeros });
    this.running_var = new Parameter({ shape, role: "running_var", initialiser: ones });
    this.frozenStatistics = options.frozenStatistics ?? false;
  }

  /**
   * [batch, height, width, channels], the same out; `activation` is fused with the normalisation.
   *
   * @throws SegfuseError SEGFUSE_BATCH_NORM_ONE_VALUE in training where a channel has a single value, which
   * has no variance (a 1×1 map of a batch of one)
   */
  forward(x: Tensor4D, activation: Activation = "none"): Tensor4D {
    const weight = this.weight.value<Tensor1D>();
    const bias = this.bias.value<Tensor1D>();
    if (!this.context.training || this.frozenStatistics) {
      const mean = this.running_mean.value<Tensor1D>();
      const variance = this.running_var.value<Tensor1D>();
      return batchNorm(x, { weight, bias, mean, variance, epsilon, activation });
    }
    const [batch, height, width] = x.shape;
    if (batch * height * width < 2) {
      throw new SegfuseError("SEGFUSE_BATCH_NORM_ONE_VALUE", "batch normalisation of one value per channel", {
        expected: "more than one value per channel in training",
        found: `an input of shape [${x.shape.join(", ")}]`,
        advice: "use data.batch_size 2 or more (pooling to 1×1 leaves one value per image)",
      });
    }
    const { y, mean, variance } = batchNormTraining(x, { weight, bias, epsilon, activation });
    if (!this.context.recomputing) {
      moveTowards(this.running_mean, mean);
      moveTowards(this.running_var, variance);
    }
    return y;
  }
}

/** running ← running + momentum·(batch − running). */
function moveTowards(running: Parameter, batch: Tensor1D): void {
  tf.tidy(() => {
    const old = running.variable;
    old.assign(tf.add(old, tf.mul(momentum, tf.sub(batch, old))));
  });
}
