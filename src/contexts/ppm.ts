import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { adaptiveAvgPool } from "../engine/ops/index.ts";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { concatResized, ConvBnRelu, type NetworkContext } from "../nn/index.ts";
import { type ContextInputs, ContextModule, defineContext } from "./contracts.ts";

const Options = Type.Object({
  channels: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    default: 512,
    description: "channels of each pooled branch and of the context map",
  }),
  bins: Type.Array(Type.Integer({ minimum: 1, maximum: 1024 }), {
    maxItems: 64,
    minItems: 1,
    default: [1, 2, 3, 6],
    description: "the pooled branches: b stands for average pooling to b×b cells",
  }),
});

/**
 * Pyramid pooling module (Zhao et al. 2017, PSPNet; paper 3.4): the coarsest level beside its averages over
 * grids of several sizes. Batches of one image cannot train it where a bin is 1 (batch norm of one value).
 */
export default defineContext({
  type: "ppm",
  paper: "3.4",
  description: "pyramid pooling: the coarsest level beside its averages over grids of several sizes",
  schema: Options,
  leastCells: ({ bins }) => Math.max(...bins),
  create: (options, inputs, context) => new PyramidPooling(options, inputs, context),
});

class PyramidPooling extends ContextModule {
  readonly output: LevelInfo;
  /** One per bin. */
  readonly stages: ConvBnRelu[];
  readonly bottleneck: ConvBnRelu;
  private readonly bins: readonly number[];

  constructor(
    options: Static<typeof Options>,
    { levels }: ContextInputs,
    private readonly context: NetworkContext,
  ) {
    super();
    const { channels, bins } = options;
    const top = levels.at(-1)!;
    this.bins = bins;
    this.stages = bins.map(() => new ConvBnRelu(context, { kernel: 1, in: top.channels, out: channels }));
    this.bottleneck = new ConvBnRelu(context, {
      kernel: 3,
      in: top.channels + bins.length * channels,
      out: channels,
    });
    this.output = { channels, stride: top.stride };
  }

  /** C = CBR(concat(X_L, up(p_1), …)), p_b = CBR(X_L averaged over b×b cells). */
  forward(levels: readonly Tensor4D[]): Tensor4D {
    const top = levels.at(-1)!;
    const pooled = this.bins.map((bin, i) => this.stages[i]!.forward(adaptiveAvgPool(top, [bin, bin])));
    const [, height, width] = top.shape;
    return this.bottleneck.forward(concatResized([top, ...pooled], [height, width], this.context));
  }
}
