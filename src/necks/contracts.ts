import type { Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import { Module } from "../nn/module.ts";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

export interface NeckInputs {
  readonly levels: readonly LevelInfo[];
  /** Null where there is no context map. */
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
  /** True where fused maps are made from C; a head is then not given C a second time. */
  abstract readonly usesContext: boolean;
  /** True where there is one fused map for every backbone level, that of C aside (what a `dfp` head needs). */
  abstract readonly isPyramid: boolean;
  abstract forward(tensors: NeckTensors): Tensor4D[];

  /**
   * Which of `outputs` is the map that C became, and the head's context from then on; null: none of them. By default the
   * last one of a pyramid that starts from C.
   */
  get contextOutput(): number | null {
    return this.usesContext && this.isPyramid ? this.outputs.length - 1 : null;
  }

  /**
   * The gate maps [batch, h, w, gateChannels], finest first; none for a neck without gates. (`gates` itself
   * is the property that holds the gates' convolutions, as checkpoints name them.)
   */
  gateMaps(_tensors: NeckTensors): Tensor4D[] {
    return [];
  }
}

export interface NeckRecord<S extends TObject = TObject> extends RecordBase<"neck", S> {
  /** As its necks' `isPyramid`, so that a config can be checked before a network is built; undefined: known then only. */
  readonly isPyramid?: boolean;
  create(options: Static<S>, inputs: NeckInputs, context: NetworkContext): Neck;
}

export const defineNeck = <S extends TObject>(d: Definition<NeckRecord<S>>): NeckRecord =>
  defineRecord("neck", d);
