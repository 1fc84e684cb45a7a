import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "./contracts.ts";
import { type ConvBnRelu, type NetworkContext, sumResized } from "../nn/index.ts";
import { fusionOptions, inTurn, makeReductions, makeRefinement, reduceAll } from "./parts.ts";

const Options = Type.Object(fusionOptions);

/** The sum of all levels at the finest one's size (paper 3.1, Eq. 3). */
export default defineNeck({
  type: "addition",
  paper: "3.1, Eq. 3",
  isPyramid: false,
  description: "all levels added at the finest size (Eq. 3)",
  schema: Options,
  create: (options, inputs, context) => new Addition(options, inputs, context),
});

class Addition extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext = false;
  readonly isPyramid = false;
  readonly reduce: ConvBnRelu[];
  /** One fused map, so one list. */
  readonly refine: [ConvBnRelu[]];

  constructor(
    options: Static<typeof Options>,
    { levels }: NeckInputs,
    private readonly context: NetworkContext,
  ) {
    super();
    this.reduce = makeReductions(levels, options.channels, context);
    this.refine = [makeRefinement(options, options.channels, context)];
    this.outputs = [{ channels: options.channels, stride: levels[0]!.stride }];
  }

  /** Eq. 3: X̃ = Σ X_i, refined. */
  forward({ levels }: NeckTensors): Tensor4D[] {
    const reduced = reduceAll(this.reduce, levels);
    const [, height, width] = reduced[0]!.shape;
    return [inTurn(this.refine[0], sumResized(reduced, [height, width], this.context))];
  }
}
