import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import {
  Conv2d,
  ConvBnRelu,
  convOfConcat,
  contextOption,
  defineHead,
  Head,
  lossesOption,
  type HeadInputs,
  type HeadTensors,
  type NetworkContext,
  type SupervisedOutput,
  Type,
  type Static,
} from "segfuse";

const schema = Type.Object({
  context: contextOption("aspp"),
  detail: Type.Integer({ minimum: 1, default: 8, description: "channels that X1 is reduced to" }),
  low_losses: lossesOption([{ type: "cross_entropy", weight: 0.4 }], "losses on X1's own logits"),
  presence_losses: lossesOption([{ type: "presence" }], "losses on which classes are there"),
});

/** Fused maps and context beside X1, which has logits of its own in training, as have the classes of the whole image. */
export default defineHead({
  type: "detail",
  description: "classifies fused maps, context and X1; two outputs more in training",
  schema,
  create: (options, inputs, network) => new Detail(options, inputs, network),
});

class Detail extends Head {
  override readonly supervised: readonly SupervisedOutput[];
  readonly reduce: ConvBnRelu;
  readonly low: Conv2d;
  readonly classifier: Conv2d;

  constructor(
    options: Static<typeof schema>,
    { levels, fused, context, numClasses }: HeadInputs,
    private readonly network: NetworkContext,
  ) {
    super();
    const { detail: out } = options;
    this.supervised = [
      { name: "low", kind: "map", losses: options.low_losses },
      { name: "presence", kind: "vector", losses: options.presence_losses },
    ];
    this.reduce = new ConvBnRelu(network, { kernel: 1, in: levels[0]!.channels, out });
    this.low = new Conv2d({ kernel: 1, in: out, out: numClasses });
    const maps = [...fused, context!].reduce((sum, { channels }) => sum + channels, out);
    this.classifier = new Conv2d({ kernel: 1, in: maps, out: numClasses });
  }

  forward(maps: HeadTensors): Tensor4D {
    return this.classify(maps, this.reduce.forward(maps.levels[0]!));
  }

  override forwardTraining(maps: HeadTensors) {
    const x1 = this.reduce.forward(maps.levels[0]!);
    const logits = this.classify(maps, x1);
    return {
      logits,
      supervised: { low: this.low.forward(x1), presence: tf.mean<tf.Tensor2D>(logits, [1, 2]) },
    };
  }

  private classify({ fused, context }: HeadTensors, x1: Tensor4D): Tensor4D {
    return convOfConcat(this.classifier, [x1, ...fused, context!], [x1.shape[1], x1.shape[2]], this.network);
  }
}
