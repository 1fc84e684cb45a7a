import type { Tensor4D } from "@tensorflow/tfjs";
import {
  adaptiveAvgPool,
  concatResized,
  ContextModule,
  ConvBnRelu,
  defineContext,
  type LevelInfo,
  type NetworkContext,
  Type,
} from "segfuse";

const schema = Type.Object({
  channels: Type.Integer({
    minimum: 1,
    default: 256,
    description: "channels of each branch and of the context",
  }),
  dilations: Type.Array(Type.Integer({ minimum: 1 }), {
    default: [12, 24, 36],
    description: "of the 3×3 branches",
  }),
});

/** Atrous spatial pyramid pooling with image pooling (Chen et al. 2017). */
export default defineContext({
  type: "aspp",
  description: "atrous spatial pyramid pooling with image pooling",
  schema,
  create: ({ channels, dilations }, { levels }, network) =>
    new Aspp(levels.at(-1)!, channels, dilations, network),
});

class Aspp extends ContextModule {
  readonly output: LevelInfo;
  readonly branches: ConvBnRelu[];
  readonly image: ConvBnRelu;
  readonly project: ConvBnRelu;

  constructor(
    top: LevelInfo,
    channels: number,
    dilations: readonly number[],
    private readonly network: NetworkContext,
  ) {
    super();
    const branch = { in: top.channels, out: channels };
    this.branches = [
      new ConvBnRelu(network, { kernel: 1, ...branch }),
      ...dilations.map((dilation) => new ConvBnRelu(network, { kernel: 3, dilation, ...branch })),
    ];
    this.image = new ConvBnRelu(network, { kernel: 1, ...branch });
    this.project = new ConvBnRelu(network, {
      kernel: 1,
      in: (dilations.length + 2) * channels,
      out: channels,
    });
    this.output = { channels, stride: top.stride };
  }

  forward(levels: readonly Tensor4D[]): Tensor4D {
    const top = levels.at(-1)!;
    const image = this.image.forward(adaptiveAvgPool(top, [1, 1]));
    const maps = [...this.branches.map((branch) => branch.forward(top)), image];
    return this.project.forward(concatResized(maps, [top.shape[1], top.shape[2]], this.network));
  }
}
