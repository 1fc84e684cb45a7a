import type { Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { Type } from "typebox";
import { BatchNorm2d } from "../../nn/batch_norm.ts";
import { checkpointed, withoutTape } from "../../nn/checkpointed.ts";
import type { NetworkContext } from "../../nn/context.ts";
import type { Module } from "../../nn/module.ts";
import type { Layer } from "../../nn/sequential.ts";
import { pathOption } from "../../registry/component_ref.ts";

/** The ratio of the image's size to the last level's. */
export type OutputStride = 8 | 16 | 32;

/** Options of a backbone that can start from a weight file; its record says `pretrained: pretrainedOptionNames`. */
export const pretrainedOptions = {
  pretrained: Type.Union([pathOption({ description: "weight file" }), Type.Null()], {
    default: null,
    description: "weight file (safetensors or PyTorch) that the backbone starts from; null: fresh weights",
  }),
  pretrained_key: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    default: null,
    description: "which state dict of a PyTorch file pretrained means; null: the one that fits",
  }),
};
export const pretrainedOptionNames = { file: "pretrained", key: "pretrained_key" } as const;

/** Options that segfuse's backbones have in common. */
export const stageOptions = {
  output_stride: Type.Enum([8, 16, 32], {
    default: 8,
    description: "image size over the last level's size; below 32, strides become dilations",
  }),
  frozen_stages: Type.Integer({
    minimum: -1,
    maximum: 4,
    default: -1,
    description: "0 freezes the stem, n the stem and stages 1..n: no gradients, running statistics; -1: none",
  }),
  norm_eval: Type.Boolean({
    default: false,
    description: "normalise with the running statistics in training as well, and leave them as they are",
  }),
  with_cp: Type.Boolean({
    default: false,
    description: "compute each block's activations again in the backward pass: less memory, more time",
  }),
  ...pretrainedOptions,
};

export interface StageBehaviour {
  frozen_stages: number;
  norm_eval: boolean;
  with_cp: boolean;
}

/** How a stage's first block strides and how far each block's 3×3 convolution reaches. */
export interface StagePlan {
  stride: 1 | 2;
  /** Of the first block: half of the others', the usual `contract_dilation`. */
  firstDilation: number;
  dilation: number;
  /** Of the stage's output against the image. */
  outputStride: number;
}

/**
 * Stages whose stride would pass `outputStride` keep their size and double their dilation instead.
 *
 * @param strides stride of every stage in the undilated network
 * @param before stride of the input of the first stage
 */
export function planStages(
  strides: readonly (1 | 2)[],
  outputStride: OutputStride,
  before: number,
): StagePlan[] {
  let reached = before;
  let dilation = 1;
  return strides.map((wanted) => {
    const firstDilation = dilation;
    const fits = reached * wanted <= outputStride;
    if (fits) reached *= wanted;
    else dilation *= wanted;
    return { stride: fits ? wanted : 1, firstDilation, dilation, outputStride: reached };
  });
}

/**
 * Runs a backbone's stages as `frozen_stages`, `norm_eval` and `with_cp` ask for. Stage 0 is the stem.
 */
export class StageRunner {
  constructor(
    private readonly context: NetworkContext,
    private readonly behaviour: StageBehaviour,
  ) {}

  /** Freezes stages 0..frozen_stages (their list starts with the stem), and all statistics for `norm_eval`. */
  prepare(stages: readonly (readonly Module[])[]): void {
    for (const [i, stage] of stages.entries()) {
      for (const part of stage) {
        if (this.isFrozen(i)) freeze(part);
        else if (this.behaviour.norm_eval) freezeStatistics(part);
      }
    }
  }

  /** The stage's blocks one after the other. Only the last output outlives the call. */
  run(stage: number, blocks: readonly Layer[], x: Tensor4D): Tensor4D {
    if (this.context.training && this.isFrozen(stage)) {
      return withoutTape(x, (input) => this.chain(blocks, input, false));
    }
    // Not the stem: recomputing it would also differentiate by the image.
    return this.chain(blocks, x, this.behaviour.with_cp && this.context.training && stage > 0);
  }

  private chain(blocks: readonly Layer[], input: Tensor4D, recompute: boolean): Tensor4D {
    let x = input;
    for (const block of blocks) {
      // A tidy a block: what the backward pass needs is kept by the tape, the rest goes at once.
      const forward = (x: Tensor4D) => tf.tidy(() => block.forward(x));
      const y = recompute ? checkpointed(this.context, block, x, forward) : forward(x);
      if (x !== input && x !== y) x.dispose();
      x = y;
    }
    return x;
  }

  private isFrozen(stage: number): boolean {
    return stage <= this.behaviour.frozen_stages;
  }
}

function freeze(module: Module): void {
  freezeStatistics(module);
  for (const [, parameter] of module.namedParameters()) parameter.trainable = false;
}

function freezeStatistics(module: Module): void {
  for (const [, part] of module.namedModules()) {
    if (part instanceof BatchNorm2d) part.frozenStatistics = true;
  }
}
