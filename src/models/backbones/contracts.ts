import type { Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import type { NetworkContext } from "../../nn/context.ts";
import { Module } from "../../nn/module.ts";
import { defineRecord, type Definition, type RecordBase } from "../../registry/record.ts";

/** A feature map's number of channels and its stride against the input image. */
export interface LevelInfo {
  readonly channels: number;
  readonly stride: number;
}

/**
 * Image [batch, height, width, inChannels] → feature levels X1..XL, finest first, each
 * [batch, height/stride, width/stride, channels], rounded either way. A transformer reshapes its tokens to such maps.
 */
export abstract class Backbone extends Module {
  abstract readonly levels: readonly LevelInfo[];
  abstract forward(image: Tensor4D): Tensor4D[];
}

export interface BackboneInputs {
  /** Channels of the image (`model.in_channels`). */
  readonly inChannels: number;
}

export interface BackboneRecord<S extends TObject = TObject> extends RecordBase<"backbone", S> {
  /** How many levels its backbones have, so that a config can be checked before a network is built; undefined: known then only. */
  readonly levelCount?: number;
  /** Its options that name the weight file it starts from, and which of the file's state dicts; default: it has none such. */
  readonly pretrained?: {
    readonly file: keyof Static<S> & string;
    readonly key?: keyof Static<S> & string;
  };
  /** The last level's stride, so that a crop can be checked before a network is built; undefined: known then only. */
  lastStride?(options: Static<S>): number;
  create(options: Static<S>, inputs: BackboneInputs, context: NetworkContext): Backbone;
}

export const defineBackbone = <S extends TObject>(d: Definition<BackboneRecord<S>>): BackboneRecord =>
  defineRecord("backbone", d);
