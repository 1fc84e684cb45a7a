import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static, type TObject } from "typebox";
import type { ContextModule } from "../contexts/contracts.ts";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import { Module } from "../nn/module.ts";
import { componentRef, type ComponentConfig } from "../registry/component_ref.ts";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

/** What a head is made for: channels and stride of each map that it will be given. */
export interface HeadInputs {
  /** Of the backbone, finest first: a head may use low levels as they are. */
  readonly levels: readonly LevelInfo[];
  /** Of the neck, finest first; none for the neck `none`. */
  readonly fused: readonly LevelInfo[];
  /** The context as the head is to use it: the map that the neck made of it, else as it was computed; null: none. */
  readonly context: LevelInfo | null;
  readonly numClasses: number;
}

/** The maps that a head is given, as its {@link HeadInputs} said. */
export interface HeadTensors {
  readonly levels: readonly Tensor4D[];
  readonly fused: readonly Tensor4D[];
  readonly context: Tensor4D | null;
}

/** What a head puts out in training beside its logits, under losses of its own (deep supervision). */
export interface SupervisedOutput {
  /** Logs call its losses `decode.NAME.LOSS`. */
  readonly name: string;
  /**
   * `map`: [batch, h, w, channels], resized to the image before its losses see it with the labels;
   * `vector`: [batch, channels], for losses of `defineVectorLoss`.
   */
  readonly kind: "map" | "vector";
  /** Default: as many as there are classes. */
  readonly channels?: number;
  /** As the head's own options have them ({@link lossesOption}). */
  readonly losses: readonly ComponentConfig[];
}

/** A head's outputs in training. */
export interface HeadOutputs {
  readonly logits: Tensor4D;
  /** One for each of the head's `supervised`, by name. */
  readonly supervised: Readonly<Record<string, Tensor4D | Tensor2D>>;
}

/** Backbone levels, fused maps and context → logits [batch, h, w, numClasses] at any size (the segmentor resizes). */
export abstract class Head extends Module {
  /** What the option `context` names, set by who builds the network: its weights are `head.context.…`. */
  context: ContextModule | null = null;
  /** Outputs beside the logits, in training. */
  readonly supervised: readonly SupervisedOutput[] = [];

  abstract forward(maps: HeadTensors): Tensor4D;

  /** The logits, as {@link forward} gives them, and every output of `supervised`; a head that has some overrides it. */
  forwardTraining(maps: HeadTensors): HeadOutputs {
    return { logits: this.forward(maps), supervised: {} };
  }
}

/** Logits [batch, h, w, numClasses] from backbone levels; dropped at inference. */
export abstract class AuxiliaryHead extends Module {
  abstract forward(levels: readonly Tensor4D[]): Tensor4D;
}

export interface HeadRecord<S extends TObject = TObject> extends RecordBase<"head", S> {
  /** True where its heads work only on necks with `isPyramid`. */
  readonly needsPyramid?: boolean;
  create(options: Static<S>, inputs: HeadInputs, context: NetworkContext): Head;
}

export const defineHead = <S extends TObject>(d: Definition<HeadRecord<S>>): HeadRecord =>
  defineRecord("head", d);

export interface AuxiliaryHeadInputs {
  readonly levels: readonly LevelInfo[];
  readonly numClasses: number;
}

export interface AuxiliaryHeadRecord<S extends TObject = TObject> extends RecordBase<"auxiliary_head", S> {
  create(options: Static<S>, inputs: AuxiliaryHeadInputs, context: NetworkContext): AuxiliaryHead;
}

export const defineAuxiliaryHead = <S extends TObject>(
  d: Definition<AuxiliaryHeadRecord<S>>,
): AuxiliaryHeadRecord => defineRecord("auxiliary_head", d);

/** A list of losses, as an option: `losses` of every head, and those of a head's further outputs. */
export const lossesOption = (
  fallback: readonly ComponentConfig[] = [{ type: "cross_entropy" }],
  description = "losses on this head's logits; their sum is minimised",
) =>
  Type.Array(componentRef("loss", { description: "a loss" }), {
    minItems: 1,
    default: fallback,
    description,
  });
