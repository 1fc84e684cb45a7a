import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { conv2d } from "../../src/engine/ops/index.ts";
import type { InferenceNetwork } from "../../src/evaluation/contracts.ts";
import { Module } from "../../src/nn/module.ts";
import { NetworkContext } from "../../src/nn/context.ts";
import { Parameter } from "../../src/nn/parameter.ts";
import type { StoredTensor } from "../helpers/fixtures.ts";
import { assign } from "../helpers/fixtures.ts";

/** The smallest network with a resolution of its own: one 7×7 convolution with stride 4, padding 3. */
export class LinearNetwork extends Module implements InferenceNetwork {
  readonly weight: Parameter;
  readonly bias: Parameter;
  /** `context.training` at each forward pass. */
  readonly modes: boolean[] = [];
  /** Images of each forward pass. */
  readonly batchSizes: number[] = [];
  readonly context: NetworkContext;

  constructor(weight: StoredTensor, bias: StoredTensor, alignCorners: boolean) {
    super();
    this.context = new NetworkContext({ alignCorners });
    const [classes = 1, channels = 3] = weight.shape;
    const initialiser = (shape: readonly number[]) => new Float32Array(shape.reduce((a, b) => a * b, 1));
    this.weight = new Parameter({
      shape: [7, 7, channels, classes],
      layout: "conv",
      initialiser,
      role: "weight",
    });
    this.bias = new Parameter({ shape: [classes], initialiser, role: "bias" });
    assign(this.weight, "weight", weight);
    assign(this.bias, "bias", bias);
  }

  logits(images: Tensor4D): Tensor4D {
    this.modes.push(this.context.training);
    this.batchSizes.push(images.shape[0]);
    return tf.add(
      conv2d(images, this.weight.value<Tensor4D>(), { stride: 4, padding: 3 }),
      this.bias.value(),
    );
  }
}
