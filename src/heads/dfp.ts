import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { SegfuseError } from "../errors.ts";
import { contextOption } from "../contexts/contracts.ts";
import { defineHead, Head, type HeadInputs, type HeadTensors } from "./contracts.ts";
import {
  concatResized,
  Conv2d,
  ConvBnRelu,
  convOfConcat,
  Dropout2d,
  type NetworkContext,
  normal,
} from "../nn/index.ts";
import { dropoutOption } from "./options.ts";
import type { Size } from "../util/size.ts";

const Options = Type.Object({
  context: contextOption(),
  dense_channels: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    default: 128,
    description: "channels that each dense block puts out",
  }),
  block: Type.Enum(["bottleneck", "conv3x3"], {
    default: "bottleneck",
    description: "a dense block: 1×1 and then 3×3 convolution, or one 3×3 convolution",
  }),
  dense_context: Type.Boolean({
    default: true,
    description:
      "the context is the first map that the dense blocks see; false: the classifier alone sees it",
  }),
  dense_size: Type.Enum(["level", "finest"], {
    default: "level",
    description: "where each block works: at its own level's size, or all at the finest level's",
  }),
  dropout: dropoutOption,
});

/** Dense feature pyramid: from the context down, each level sees all coarser ones (paper 3.3). */
export default defineHead({
  type: "dfp",
  paper: "3.3",
  needsPyramid: true,
  description: "dense feature pyramid over the context and a neck with a map per level",
  schema: Options,
  moved: { channels: "context", bins: "context" },
  create: (options, inputs, context) => new DenseFeaturePyramid(options, inputs, context),
});

class DenseFeaturePyramid extends Head {
  /** One block per level, finest first. */
  readonly dense: ConvBnRelu[][];
  readonly classifier: Conv2d;
  private readonly dropout: Dropout2d;
  private readonly seesContext: boolean;
  private readonly atFinest: boolean;

  constructor(
    options: Static<typeof Options>,
    inputs: HeadInputs,
    private readonly network: NetworkContext,
  ) {
    super();
    const { dense_channels: width } = options;
    const { levels, fused, context: top } = inputs;
    if (fused.length !== levels.length) throw needsPyramid(inputs);
    if (top === null) throw needsContext();
    this.seesContext = options.dense_context;
    this.atFinest = options.dense_size === "finest";
    this.dense = levels.map((_, l) => {
      const coarser = (this.seesContext ? top.channels : 0) + (levels.length - 1 - l) * width;
      return makeBlock(options.block, coarser + fused[l]!.channels, width, network);
    });
    this.dropout = new Dropout2d(network, options.dropout);
    this.classifier = new Conv2d({
      kernel: 1,
      in: levels.length * width + top.channels,
      out: inputs.numClasses,
      initialiser: normal(0.01),
    });
  }

  /**
   * T_{L+1} = C; T_l = block_l(concat(up(T_{L+1}), …, up(T_{l+1}), X̃_l)) at X̃_l's size (`dense_size: finest`:
   * at X̃_1's; without `dense_context`, no block sees T_{L+1});
   * logits = classifier(concat(T_1, up(T_2), …, up(T_{L+1}))) at X̃_1's size.
   */
  forward({ fused, context }: HeadTensors): Tensor4D {
    const top = context!;
    const dense: Tensor4D[] = [];
    for (let l = this.dense.length - 1; l >= 0; l--) {
      const coarser = this.seesContext ? [top, ...dense] : dense;
      dense.push(this.block(l, [...coarser, fused[l]!], sizeOf(fused[this.atFinest ? 0 : l]!)));
    }
    const maps = [...dense.reverse(), top];
    return convOfConcat(this.classifier, maps, sizeOf(maps[0]!), this.network, this.dropout);
  }

  /** block_l(concat(up(…), X̃_l)); a 1×1 convolution sees each map at its own size (`convOfConcat`). */
  private block(l: number, maps: readonly Tensor4D[], size: Size): Tensor4D {
    const [first, second] = this.dense[l] as [ConvBnRelu, ConvBnRelu?];
    if (second === undefined) return first.forward(concatResized(maps, size, this.network));
    const squeezed = first.bn.forward(convOfConcat(first.conv, maps, size, this.network), "relu");
    return second.forward(squeezed);
  }
}

function makeBlock(
  block: "bottleneck" | "conv3x3",
  inChannels: number,
  width: number,
  network: NetworkContext,
): ConvBnRelu[] {
  if (block === "conv3x3") return [new ConvBnRelu(network, { kernel: 3, in: inChannels, out: width })];
  return [
    new ConvBnRelu(network, { kernel: 1, in: inChannels, out: width }),
    new ConvBnRelu(network, { kernel: 3, in: width, out: width }),
  ];
}

function sizeOf(map: Tensor4D): Size {
  return [map.shape[1], map.shape[2]];
}

function needsPyramid({ fused, levels }: HeadInputs): SegfuseError {
  const count =
    fused.length === 0 ? "no fused map" : fused.length === 1 ? "one fused map" : `${fused.length} maps`;
  return new SegfuseError(
    "SEGFUSE_HEAD_NEEDS_PYRAMID",
    "a dense feature pyramid needs a map of every level",
    {
      where: "model.head.type",
      expected: `a neck with one fused map for each of the ${levels.length} levels: gff, fpn or gated_fpn`,
      found: `a neck with ${count}`,
      advice: "choose such a neck, or the head ppm",
    },
  );
}

function needsContext(): SegfuseError {
  return new SegfuseError("SEGFUSE_COMPONENT_OPTIONS", "a dense feature pyramid starts from a context map", {
    where: "model.head.context",
    expected: "a context such as ppm",
    found: "none",
    advice: "choose a context, or the head ppm",
  });
}
