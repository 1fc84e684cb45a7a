import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { SegfuseError } from "../errors.ts";
import { AuxiliaryHead, defineAuxiliaryHead, lossesOption, type AuxiliaryHeadInputs } from "./contracts.ts";
import { Conv2d, ConvBnRelu, Dropout2d, type NetworkContext, normal } from "../nn/index.ts";
import type { ComponentRule } from "../registry/record.ts";
import { dropoutOption } from "./options.ts";

const Options = Type.Object({
  level: Type.Integer({
    minimum: 1,
    maximum: 64,
    default: 3,
    description: "the backbone level it sees, 1 the finest",
  }),
  channels: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    default: 256,
    description: "channels of its 3×3 convolution",
  }),
  dropout: dropoutOption,
  losses: lossesOption([{ type: "cross_entropy", weight: 0.4 }]),
});

/** It looks at a level that the backbone has. */
const levelRule: ComponentRule<Static<typeof Options>> = {
  code: "SEGFUSE_AUXILIARY_LEVEL",
  *check({ level }, { levels }) {
    if (levels === null || level <= levels.count) return;
    yield {
      path: ["level"],
      message: "an auxiliary head sees a level that is not there",
      expected: `1 to ${levels.count}, the levels of the backbone '${levels.backbone}'`,
      found: String(level),
    };
  },
};

/** A small head on one backbone level, for training alone (paper 3.4: stage 3, loss weight 0.4, after PSPNet). */
export default defineAuxiliaryHead({
  type: "fcn",
  paper: "3.4",
  description: "3×3 convolution and classifier on one backbone level, in training alone",
  schema: Options,
  rules: [levelRule],
  create: (options, inputs, context) => new FullyConvolutionalHead(options, inputs, context),
});

class FullyConvolutionalHead extends AuxiliaryHead {
  readonly convs: ConvBnRelu[];
  readonly classifier: Conv2d;
  private readonly dropout: Dropout2d;
  /** From 0. */
  private readonly level: number;

  constructor(options: Static<typeof Options>, inputs: AuxiliaryHeadInputs, context: NetworkContext) {
    super();
    this.level = options.level - 1;
    const level = inputs.levels[this.level];
    if (level === undefined) {
      throw new SegfuseError("SEGFUSE_AUXILIARY_LEVEL", "an auxiliary head sees a level that is not there", {
        where: "model.auxiliary_head.level",
        expected: `1 to ${inputs.levels.length}, the backbone's levels`,
        found: String(options.level),
      });
    }
    this.convs = [new ConvBnRelu(context, { kernel: 3, in: level.channels, out: options.channels })];
    this.dropout = new Dropout2d(context, options.dropout);
    this.classifier = new Conv2d({
      kernel: 1,
      in: options.channels,
      out: inputs.numClasses,
      initialiser: normal(0.01),
    });
  }

  /** classifier(CBR(X_level)) at that level's size. */
  forward(levels: readonly Tensor4D[]): Tensor4D {
    const features = this.convs.reduce((x, conv) => conv.forward(x), levels[this.level]!);
    return this.classifier.forward(this.dropout.forward(features));
  }
}
