import type { Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import { Module } from "../nn/module.ts";
import { componentRef } from "../registry/component_ref.ts";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

/**
 * Backbone levels → the context map C, what the coarsest level knows of the whole scene (paper 3.4: pyramid pooling).
 * It runs before the neck, which may fuse C as one level more; its weights are the head's, `head.context.…`.
 */
export abstract class ContextModule extends Module {
  /** C's channels and stride. */
  abstract readonly output: LevelInfo;
  /** Levels [batch, height/stride, width/stride, channels], finest first → C. */
  abstract forward(levels: readonly Tensor4D[]): Tensor4D;
}

export interface ContextInputs {
  /** Of the backbone, finest first. */
  readonly levels: readonly LevelInfo[];
}

export interface ContextRecord<S extends TObject = TObject> extends RecordBase<"context", S> {
  /**
   * The fewest cells a side of the coarsest level for which it does what it is meant to (pooling to 6×6 cells needs 6),
   * so that a config is checked before a network is built. Default 1.
   */
  leastCells?(options: Static<S>): number;
  /** Null: there is no context map. */
  create(options: Static<S>, inputs: ContextInputs, context: NetworkContext): ContextModule | null;
}

export const defineContext = <S extends TObject>(d: Definition<ContextRecord<S>>): ContextRecord =>
  defineRecord("context", d);

/**
 * The slot of a head that works with a context map: an option that must be called `context`. Any context goes with any
 * neck; what the neck makes of the map is what the head is given.
 *
 * @param type the context that a config need not name
 */
export const contextOption = (type = "ppm") =>
  componentRef("context", {
    default: { type },
    description: "what is computed on the coarsest level before fusion",
  });
