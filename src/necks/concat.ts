import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "./contracts.ts";
import { concatResized, type ConvBnRelu, type NetworkContext } from "../nn/index.ts";
import { fusionOptions, inTurn, makeReductions, makeRefinement, reduceAll } from "./parts.ts";

const Options = Type.Object(fusionOptions);

/** All levels side by side at the finest one's size (paper 3.1, Eq. 2). */
export default defineNeck({
  type: "concat",
  paper: "3.1, Eq. 2",
  isPyramid: false,
  description: "all levels concatenated at the finest size (Eq. 2)",
  schema: Options,
  create: (options, inputs, context) => new Concatenation(options, inputs, context),
});

class Concatenation extends Neck {
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
    const width = levels.length * options.channels;
    this.reduce = makeReductions(levels, options.channels, context);
    this.refine = [makeRefinement(options, width, context)];
    const channels = options.refine_convs === 0 ? width : options.channels;
    this.outputs = [{ channels, stride: levels[0]!.stride }];
  }

  /** Eq. 2: X̃ = concat(X_1, …, X_L), refined. */
  forward({ levels }: NeckTensors): Tensor4D[] {
    const reduced = reduceAll(this.reduce, levels);
    const [, height, width] = reduced[0]!.shape;
    return [inTurn(this.refine[0], concatResized(reduced, [height, width], this.context))];
  }
}
