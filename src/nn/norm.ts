import type { Tensor4D } from "@tensorflow/tfjs";
import type { Activation } from "../engine/ops/index.ts";
import { Module } from "./module.ts";

/** A normalisation of maps [batch, height, width, channels]; `activation` is computed with it. */
export abstract class Norm extends Module {
  abstract forward(x: Tensor4D, activation?: Activation): Tensor4D;
}

/** Which normalisation a network has (`model.norm`). */
export interface NormOptions {
  /**
   * - `batch`: over batch, height and width (Ioffe and Szegedy 2015);
   * - `sync_batch`: the same over all processes of a run, of which there is one;
   * - `group`: over height, width and a group of channels of each image (Wu and He 2018);
   * - `layer`: over the channels of each position (Ba et al. 2016, as in ConvNeXt).
   */
  readonly type: "batch" | "sync_batch" | "group" | "layer";
  /** Of `group`: into how many the channels are divided. */
  readonly groups: number;
}
