import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { maxPool } from "../../engine/ops/index.ts";
import { Relu } from "../../nn/activation.ts";
import type { NetworkContext } from "../../nn/context.ts";
import { Conv2d, samePadding } from "../../nn/conv2d.ts";
import { makeNorm } from "../../nn/make_norm.ts";
import { Module } from "../../nn/module.ts";
import type { Norm } from "../../nn/norm.ts";
import { sequential, type Layer } from "../../nn/sequential.ts";
import { Backbone, defineBackbone, type LevelInfo } from "./contracts.ts";
import { BasicBlock, Bottleneck, type BlockType, type Style } from "./residual_blocks.ts";
import { planStages, pretrainedOptionNames, stageOptions, StageRunner, type StagePlan } from "./stages.ts";

const schema = Type.Object({
  depth: Type.Enum([18, 34, 50, 101, 152], {
    default: 101,
    description: "number of layers; 18 and 34 are made of basic blocks, the others of bottlenecks",
  }),
  stem: Type.Enum(["v1", "v1c"], {
    default: "v1c",
    description: "v1: one 7×7 convolution (torchvision's weights); v1c: three 3×3 convolutions",
  }),
  style: Type.Enum(["pytorch", "caffe"], {
    default: "pytorch",
    description: "a bottleneck strides on its 3×3 (pytorch) or on its first 1×1 convolution (caffe)",
  }),
  base_channels: Type.Integer({
    minimum: 2,
    maximum: 8192,
    multipleOf: 2,
    default: 64,
    description: "channels of the stem and of the first stage's blocks; all widths follow",
  }),
  ...stageOptions,
});
type Options = Static<typeof schema>;

/** Block and number of blocks per stage (He et al. 2016, Table 1). */
const architectures: Record<Options["depth"], { block: BlockType; blocks: readonly number[] }> = {
  18: { block: BasicBlock, blocks: [2, 2, 2, 2] },
  34: { block: BasicBlock, blocks: [3, 4, 6, 3] },
  50: { block: Bottleneck, blocks: [3, 4, 6, 3] },
  101: { block: Bottleneck, blocks: [3, 4, 23, 3] },
  152: { block: Bottleneck, blocks: [3, 8, 36, 3] },
};

/** ResNet (He et al. 2016) with dilated stages for dense prediction (Yu et al. 2017). */
export default defineBackbone({
  type: "resnet",
  paper: "3.4",
  levelCount: 4,
  lastStride: ({ output_stride }) => output_stride,
  description: "ResNet-18, 34, 50, 101 or 152 with dilated last stages; torchvision's weight names",
  schema,
  pretrained: pretrainedOptionNames,
  create: (options, { inChannels }, context) => new ResNet(options, inChannels, context),
});

/** Levels are the outputs of layer1..layer4. Stage 0 of `frozen_stages` is the stem, stage n is layer n. */
export class ResNet extends Backbone {
  /** v1c only: indices 0, 1 | 3, 4 | 6, 7 are convolutions and their normalisations. */
  readonly stem: Layer[] | null;
  /** v1 only. */
  readonly conv1: Conv2d | null;
  readonly bn1: Norm | null;
  readonly layer1: Layer[];
  readonly layer2: Layer[];
  readonly layer3: Layer[];
  readonly layer4: Layer[];
  readonly levels: readonly LevelInfo[];
  private readonly runner: StageRunner;

  constructor(options: Options, inChannels: number, context: NetworkContext) {
    super();
    const { base_channels: base, depth, style } = options;
    const { block, blocks } = architectures[depth];
    this.stem = options.stem === "v1c" ? deepStem(inChannels, base, context) : null;
    this.conv1 = options.stem === "v1" ? stemConv(7, inChannels, base, 2) : null;
    this.bn1 = options.stem === "v1" ? makeNorm(base, context) : null;

    const plans = planStages([1, 2, 2, 2], options.output_stride, 4);
    const widths = plans.map((_, i) => base * 2 ** i * block.expansion);
    const stage = (i: number): Layer[] => {
      const inputs = i === 0 ? base : widths[i - 1]!;
      return makeStage(block, blocks[i]!, { in: inputs, planes: base * 2 ** i, style }, plans[i]!, context);
    };
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    this.layer4 = stage(3);
    this.levels = plans.map((plan, i) => ({ channels: widths[i]!, stride: plan.outputStride }));
    this.runner = new StageRunner(context, options);
    this.runner.prepare([this.stemLayers(), ...this.stages()]);
  }

  /** [batch, height, width, inChannels] → outputs of layer1..layer4. */
  forward(image: Tensor4D): Tensor4D[] {
    let x = this.runner.run(0, [new Stem(this.stemLayers())], image);
    return this.stages().map((blocks, i) => (x = this.runner.run(i + 1, blocks, x)));
  }

  private stages(): Layer[][] {
    return [this.layer1, this.layer2, this.layer3, this.layer4];
  }

  private stemLayers(): Layer[] {
    return this.stem ?? [this.conv1!, this.bn1!, new Relu()];
  }
}

/** The stem and its pooling, 3×3 with stride 2. */
class Stem extends Module {
  constructor(readonly layers: readonly Layer[]) {
    super();
  }

  forward(image: Tensor4D): Tensor4D {
    return maxPool(sequential(this.layers, image), { size: 3, stride: 2, padding: 1 });
  }
}

function makeStage(
  block: BlockType,
  count: number,
  shape: { in: number; planes: number; style: Style },
  plan: StagePlan,
  context: NetworkContext,
): Layer[] {
  const first = new block(context, { ...shape, stride: plan.stride, dilation: plan.firstDilation });
  const rest = { ...shape, in: shape.planes * block.expansion, stride: 1, dilation: plan.dilation } as const;
  return [first, ...Array.from({ length: count - 1 }, () => new block(context, rest))];
}

/** Three 3×3 convolutions in place of the 7×7 (He et al. 2019, ResNet-C): half the channels in the first two. */
function deepStem(inChannels: number, base: number, context: NetworkContext): Layer[] {
  const widths = [inChannels, base / 2, base / 2, base];
  return [2, 1, 1].flatMap((stride, i) => [
    stemConv(3, widths[i]!, widths[i + 1]!, stride),
    makeNorm(widths[i + 1]!, context),
    new Relu(),
  ]);
}

function stemConv(kernel: number, channelsIn: number, out: number, stride: number): Conv2d {
  return new Conv2d({ kernel, in: channelsIn, out, stride, padding: samePadding(kernel), bias: false });
}
