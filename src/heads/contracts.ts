import type { Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import { Module } from "../nn/module.ts";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

/** Backbone levels → context map C (paper 3.4: pyramid pooling). Part of the head, computed before the neck runs. */
export abstract class ContextModule extends Module {
  abstract readonly output: LevelInfo;
  abstract forward(levels: readonly Tensor4D[]): Tensor4D;
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

export interface HeadRecord<S extends TObject = TObject> extends RecordBase<"head", S> {
  /** True where its heads work only on necks with `isPyramid`. */
  readonly needsPyramid?: boolean;
  /** The context module, made before the neck because a neck may use its output. */
  context(options: Static<S>, levels: readonly LevelInfo[], context: NetworkContext): ContextModule | null;
  create(options: Static<S>, inputs: HeadInputs, context: NetworkContext): Head;
}

export const defineHead = <S extends TObject>(d: Definition<HeadRecord<S>>): HeadRecord =>
  defineRecord("head", d);

export interface AuxiliaryHeadRecord<S extends TObject = TObject> extends RecordBase<"auxiliary_head", S> {
  create(
    options: Static<S>,
    inputs: { levels: readonly LevelInfo[]; numClasses: number },
    context: NetworkContext,
  ): AuxiliaryHead;
}

export const defineAuxiliaryHead = <S extends TObject>(
  d: Definition<AuxiliaryHeadRecord<S>>,
): AuxiliaryHeadRecord => defineRecord("auxiliary_head", d);
