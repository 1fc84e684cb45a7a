import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { Relu6 } from "../../nn/activation.ts";
import { addResidual } from "../../nn/add_residual.ts";
import type { NetworkContext } from "../../nn/context.ts";
import { Conv2d, DepthwiseConv2d, samePadding } from "../../nn/conv2d.ts";
import { makeNorm } from "../../nn/make_norm.ts";
import { Module } from "../../nn/module.ts";
import { sequential, type Layer } from "../../nn/sequential.ts";
import { Backbone, defineBackbone, type LevelInfo } from "./contracts.ts";
import { planStages, pretrainedOptionNames, stageOptions, StageRunner } from "./stages.ts";

const schema = Type.Object({
  width: Type.Number({
    exclusiveMinimum: 0,
    default: 1,
    description: "factor of all channel counts, rounded to multiples of 8 (torchvision's width_mult)",
  }),
  ...stageOptions,
});
type Options = Static<typeof schema>;

/** MobileNetV2 (Sandler et al. 2018) with dilated last stages for dense prediction. */
export default defineBackbone({
  type: "mobilenet_v2",
  levelCount: 4,
  lastStride: ({ output_stride }) => output_stride,
  description: "MobileNetV2 with dilated last stages; torchvision's weight names",
  schema,
  pretrained: pretrainedOptionNames,
  create: (options, { inChannels }, context) => new MobileNetV2(options, inChannels, context),
});

/** Groups of inverted residual blocks: expansion, channels, blocks, stride (Sandler et al. 2018, Table 2). */
const groups = [
  { expansion: 1, channels: 16, blocks: 1, stride: 1 },
  { expansion: 6, channels: 24, blocks: 2, stride: 2 },
  { expansion: 6, channels: 32, blocks: 3, stride: 2 },
  { expansion: 6, channels: 64, blocks: 4, stride: 2 },
  { expansion: 6, channels: 96, blocks: 3, stride: 1 },
  { expansion: 6, channels: 160, blocks: 3, stride: 2 },
  { expansion: 6, channels: 320, blocks: 1, stride: 1 },
] as const;

/** First and last feature of stages 1..4; a level is the output of a stage's last one. Stage 0 is feature 0. */
const stageFeatures = [
  [1, 3],
  [4, 6],
  [7, 13],
  [14, 17],
] as const;

/**
 * Levels are the outputs of features 3, 6, 13 and 17. For `frozen_stages`, stage 0 is feature 0, and stages
 * 1..4 are features 1–3, 4–6, 7–13 and 14–17. torchvision's feature 18, which only its classifier uses, is absent.
 */
export class MobileNetV2 extends Backbone {
  readonly features: (Layer[] | InvertedResidual)[];
  readonly levels: readonly LevelInfo[];
  private readonly runner: StageRunner;

  constructor(options: Options, inChannels: number, context: NetworkContext) {
    super();
    const scaled = (channels: number) => roundedToEight(channels * options.width);
    const first = { in: inChannels, out: scaled(32), kernel: 3, stride: 2 };
    this.features = [convBnRelu6(first, context)];
    const plans = planStages(
      groups.map(({ stride }) => stride),
      options.output_stride,
      2,
    );
    const outputs: LevelInfo[] = [{ channels: first.out, stride: 2 }];
    for (const [i, { expansion, channels, blocks }] of groups.entries()) {
      const { stride, firstDilation, dilation, outputStride } = plans[i]!;
      for (let block = 0; block < blocks; block++) {
        const shape = { in: outputs.at(-1)!.channels, out: scaled(channels), expansion };
        const reach = block === 0 ? { stride, dilation: firstDilation } : { stride: 1, dilation };
        this.features.push(new InvertedResidual({ ...shape, ...reach }, context));
        outputs.push({ channels: shape.out, stride: outputStride });
      }
    }
    this.levels = stageFeatures.map(([, last]) => outputs[last]!);
    this.runner = new StageRunner(context, options);
    this.runner.prepare([0, 1, 2, 3, 4].map((stage) => this.stage(stage)));
  }

  /** [batch, height, width, inChannels] → outputs of features 3, 6, 13 and 17. */
  forward(image: Tensor4D): Tensor4D[] {
    let x = this.runner.run(0, this.stage(0), image);
    return stageFeatures.map((_, i) => (x = this.runner.run(i + 1, this.stage(i + 1), x)));
  }

  private stage(stage: number): Layer[] {
    if (stage === 0) return [new Stem(this.features[0] as Layer[])];
    const [first, last] = stageFeatures[stage - 1]!;
    return this.features.slice(first, last + 1) as InvertedResidual[];
  }
}

class Stem extends Module {
  constructor(readonly layers: readonly Layer[]) {
    super();
  }

  forward(image: Tensor4D): Tensor4D {
    return sequential(this.layers, image);
  }
}

interface InvertedResidualOptions {
  in: number;
  out: number;
  expansion: number;
  stride: number;
  dilation: number;
}

/** 1×1 up (absent for expansion 1), depthwise 3×3, linear 1×1 down; a shortcut where the shape stays. */
class InvertedResidual extends Module {
  readonly conv: (Layer | Layer[])[];
  private readonly hasShortcut: boolean;

  constructor(options: InvertedResidualOptions, context: NetworkContext) {
    super();
    const { out, expansion, stride, dilation } = options;
    const hidden = options.in * expansion;
    const expand = { in: options.in, out: hidden, kernel: 1, stride: 1 };
    this.conv = [
      ...(expansion === 1 ? [] : [convBnRelu6(expand, context)]),
      [
        new DepthwiseConv2d({
          channels: hidden,
          kernel: 3,
          stride,
          padding: samePadding(3, dilation),
          dilation,
        }),
        makeNorm(hidden, context),
        new Relu6(),
      ],
      new Conv2d({ in: hidden, out, kernel: 1, bias: false }),
      makeNorm(out, context),
    ];
    this.hasShortcut = stride === 1 && options.in === out;
  }

  forward(x: Tensor4D): Tensor4D {
    const y = sequential(this.conv.flat(), x);
    return this.hasShortcut ? addResidual(y, x) : y;
  }
}

function convBnRelu6(
  options: { in: number; out: number; kernel: number; stride: number },
  context: NetworkContext,
): Layer[] {
  return [
    new Conv2d({ ...options, padding: samePadding(options.kernel), bias: false }),
    makeNorm(options.out, context),
    new Relu6(),
  ];
}

/** The nearest multiple of 8, at least 8 and no less than 90 % of the number. */
function roundedToEight(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}
