import type { Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { activate, standardise, type Activation } from "../engine/ops/index.ts";
import { SegfuseError } from "../errors.ts";
import { ones, zeros } from "./initialisers.ts";
import { Norm } from "./norm.ts";
import { Parameter } from "./parameter.ts";

/** Group normalisation (Wu and He 2018; PyTorch's `GroupNorm`), epsilon 1e-5: an image's own statistics, whatever the batch. */
export class GroupNorm extends Norm {
  readonly weight: Parameter;
  readonly bias: Parameter;

  /** @throws SegfuseError `SEGFUSE_COMPONENT_OPTIONS` where the channels cannot be divided into so many groups */
  constructor(
    private readonly channels: number,
    private readonly groups: number,
  ) {
    super();
    if (channels % groups !== 0) throw indivisible(channels, groups);
    this.weight = new Parameter({ shape: [channels], role: "norm_weight", initialiser: ones });
    this.bias = new Parameter({ shape: [channels], role: "norm_bias", initialiser: zeros });
  }

  /** [batch, height, width, channels], the same out. */
  forward(x: Tensor4D, activation: Activation = "none"): Tensor4D {
    const [batch, height, width] = x.shape;
    const { groups, channels } = this;
    const grouped = tf.reshape(x, [batch, height * width, groups, channels / groups]);
    const y = tf.reshape(standardise(grouped, [1, 3], 1e-5), x.shape);
    const scaled = tf.mul(y, this.weight.value<Tensor1D>());
    return activate(tf.add(scaled, this.bias.value<Tensor1D>()), activation);
  }
}

function indivisible(channels: number, groups: number): SegfuseError {
  return new SegfuseError(
    "SEGFUSE_COMPONENT_OPTIONS",
    "group normalisation does not fit the network's maps",
    {
      where: "model.norm_groups",
      expected: `a divisor of ${channels}, the channels of one of the maps`,
      found: String(groups),
    },
  );
}
