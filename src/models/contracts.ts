import type { Tensor4D } from "@tensorflow/tfjs";
import { Module } from "../nn/module.ts";

/** A feature map's number of channels and its stride against the input image. */
export interface LevelInfo {
  readonly channels: number;
  readonly stride: number;
}

/** Image [batch, height, width, 3] → X1..X4, finest first, each [batch, height/stride, width/stride, channels]. */
export abstract class Backbone extends Module {
  abstract readonly levels: readonly LevelInfo[];
  abstract forward(image: Tensor4D): Tensor4D[];
}

/** Backbone levels → context map C (paper 3.4: pyramid pooling). Part of the head, computed before the neck runs. */
export abstract class ContextModule extends Module {
  abstract readonly output: LevelInfo;
  abstract forward(levels: readonly Tensor4D[]): Tensor4D;
}

export interface NeckInputs {
  readonly levels: readonly LevelInfo[];
  /** Null where the head has no context. */
  readonly context: LevelInfo | null;
}

export interface NeckTensors {
  readonly levels: readonly Tensor4D[];
  readonly context: Tensor4D | null;
  /** Levels (from 0, finest first) whose gate is replaced by 0 everywhere: the study of the paper's Figure 8 (b). */
  readonly closedGates?: readonly number[];
}

/** A fusion method: (X1..X4, C) → fused maps, finest first. */
export abstract class Neck extends Module {
  abstract readonly outputs: readonly LevelInfo[];
  /** True where one of the fused maps is made from C; a head then does not add C a second time. */
  abstract readonly usesContext: boolean;
  /** True where there is one fused map for every backbone level (what a `dfp` head needs). */
  abstract readonly isPyramid: boolean;
  abstract forward(tensors: NeckTensors): Tensor4D[];

  /**
   * The gate maps [batch, h, w, gateChannels], finest first; none for a neck without gates. (`gates` itself
   * is the property that holds the gates' convolutions, as checkpoints name them.)
   */
  gateMaps(_tensors: NeckTensors): Tensor4D[] {
    return [];
  }
}

export interface HeadInputs {
  readonly levels: readonly LevelInfo[];
  readonly context: ContextModule | null;
  readonly fused: readonly LevelInfo[];
  readonly neckUsesContext: boolean;
  readonly neckIsPyramid: boolean;
  readonly numClasses: number;
}

/** Fused maps and context → logits [batch, h, w, numClasses] at the largest map's size (the segmentor resizes). */
export abstract class Head extends Module {
  /** Named `context` in checkpoints: `head.context.…`. */
  abstract readonly context: ContextModule | null;
  abstract forward(fused: readonly Tensor4D[], context: Tensor4D | null): Tensor4D;
}

/** Logits [batch, h, w, numClasses] from one backbone level; dropped at inference. */
export abstract class AuxiliaryHead extends Module {
  abstract forward(levels: readonly Tensor4D[]): Tensor4D;
}
