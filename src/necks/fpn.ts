import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "./contracts.ts";
import { type ConvBnRelu, type NetworkContext, resizeLike } from "../nn/index.ts";
import { fusionOptions, inTurn, makeReductions, makeRefinement, reduceAll, requireContext } from "./parts.ts";

const Options = Type.Object(fusionOptions);

/** Feature pyramid: each level gets what came down from the coarser ones, context first (paper 3.1, Eq. 4). */
export default defineNeck({
  type: "fpn",
  paper: "3.1, Eq. 4",
  isPyramid: true,
  description: "top-down feature pyramid that starts from the context map (Eq. 4)",
  schema: Options,
  create: (options, inputs, context) => new FeaturePyramid(options, inputs, context),
});

class FeaturePyramid extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext = true;
  readonly isPyramid = true;
  /** X_1 … X_L and the context, the last one. */
  readonly reduce: ConvBnRelu[];
  readonly refine: ConvBnRelu[][];

  constructor(
    options: Static<typeof Options>,
    inputs: NeckInputs,
    private readonly context: NetworkContext,
  ) {
    super();
    const maps = [...inputs.levels, requireContext("fpn", inputs)];
    this.reduce = makeReductions(maps, options.channels, context);
    this.refine = maps.map(() => makeRefinement(options, options.channels, context));
    this.outputs = maps.map(({ stride }) => ({ channels: options.channels, stride }));
  }

  /** Eq. 4: X̃_l = X̃_{l+1} + X_l, where X̃_L = X_L; each is refined at the end, what comes down is not. */
  forward({ levels, context }: NeckTensors): Tensor4D[] {
    const pyramid = reduceAll(this.reduce, [...levels, context!]);
    for (let l = pyramid.length - 2; l >= 0; l--) {
      pyramid[l] = tf.add(resizeLike(pyramid[l + 1]!, pyramid[l]!, this.context), pyramid[l]!);
    }
    return pyramid.map((fused, l) => inTurn(this.refine[l]!, fused));
  }
}
