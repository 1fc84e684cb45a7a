import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { resizeBicubic } from "../engine/ops/index.ts";
import type { Size } from "../util/size.ts";
import { truncatedNormal } from "./initialisers.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * A learned vector for each position of a grid (Dosovitskiy et al. 2020), added to a map; a map of another size gets them
 * interpolated (bicubic, half-pixel centres), as mmsegmentation's and timm's vision transformers do.
 */
export class PositionEmbedding extends Module {
  /** [1, height·width, channels] row by row, as vision transformers' files have it. */
  readonly weight: Parameter;

  /** @param grid that it is made for, in cells */
  constructor(
    private readonly grid: Size,
    private readonly channels: number,
  ) {
    super();
    const shape = [1, grid[0] * grid[1], channels];
    this.weight = new Parameter({ shape, role: "weight", initialiser: truncatedNormal(0.02) });
  }

  /** [batch, h, w, channels], the same out. */
  forward(x: Tensor4D): Tensor4D {
    const [height, width] = this.grid;
    const vectors: Tensor4D = tf.reshape(this.weight.value<Tensor3D>(), [1, height, width, this.channels]);
    return tf.add(x, resizeBicubic(vectors, [x.shape[1], x.shape[2]]));
  }
}
