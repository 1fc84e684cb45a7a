// One plug-in with a component of every kind, as a user writes it. The optimiser, schedule, hook and name map do the
// least that can be seen in a run's output.
import {
  AuxiliaryHead,
  Backbone,
  ContextModule,
  contextOption,
  Conv2d,
  composeNeck,
  convBnRelu,
  defineAuxiliaryHead,
  defineBackbone,
  defineContext,
  defineDataset,
  defineHead,
  defineHook,
  defineLoss,
  defineMetric,
  defineNameMap,
  defineNeck,
  defineOptimizer,
  defineSchedule,
  defineTransform,
  Head,
  normal,
  pathOption,
  resizeLike,
  softmaxCrossEntropy,
  tf,
  Type,
  type ConvBnRelu,
  type HeadTensors,
  type LevelInfo,
  type NetworkContext,
} from "segfuse";
import { appendFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const none = Type.Object({});
const channels = 4;

class TwoLevels extends Backbone {
  readonly levels: readonly LevelInfo[] = [
    { channels, stride: 2 },
    { channels, stride: 4 },
  ];
  readonly stages: ConvBnRelu[];

  constructor(inChannels: number, context: NetworkContext) {
    super();
    this.stages = [inChannels, channels].map((from) =>
      convBnRelu(context, { kernel: 3, in: from, out: channels, stride: 2 }),
    );
  }

  forward(image: tf.Tensor4D): tf.Tensor4D[] {
    const first = this.stages[0]!.forward(image);
    return [first, this.stages[1]!.forward(first)];
  }
}

const classifier = (numClasses: number) =>
  new Conv2d({ kernel: 1, in: channels, out: numClasses, initialiser: normal(0.01) });

class Coarsest extends ContextModule {
  readonly conv: ConvBnRelu;

  constructor(
    readonly output: LevelInfo,
    network: NetworkContext,
  ) {
    super();
    this.conv = convBnRelu(network, { kernel: 1, in: output.channels, out: output.channels });
  }

  forward(levels: readonly tf.Tensor4D[]): tf.Tensor4D {
    return this.conv.forward(levels.at(-1)!);
  }
}

class Flat extends Head {
  readonly classifier: Conv2d;

  constructor(
    numClasses: number,
    private readonly network: NetworkContext,
  ) {
    super();
    this.classifier = classifier(numClasses);
  }

  forward({ fused: [map], context }: HeadTensors): tf.Tensor4D {
    return this.classifier.forward(tf.add(map!, resizeLike(context!, map!, this.network)));
  }
}

class Coarse extends AuxiliaryHead {
  readonly classifier: Conv2d;

  constructor(numClasses: number) {
    super();
    this.classifier = classifier(numClasses);
  }

  forward(levels: readonly tf.Tensor4D[]): tf.Tensor4D {
    return this.classifier.forward(levels.at(-1)!);
  }
}

const info = {
  classes: ["left", "right"],
  palette: [[200, 0, 0] as const, [0, 0, 200] as const],
  ignoreIndex: 255,
};

export default [
  defineBackbone({
    type: "two_levels",
    description: "two strided convolutions",
    schema: none,
    create: (_, { inChannels }, context) => new TwoLevels(inChannels, context),
  }),
  defineContext({
    type: "coarsest",
    description: "the coarsest level",
    schema: none,
    create: (_, { levels }, network) => new Coarsest(levels.at(-1)!, network),
  }),
  defineNeck({
    type: "sum",
    description: "the levels' sum",
    schema: none,
    create: (_, { levels }, context) =>
      composeNeck({
        modules: {},
        outputs: [levels[0]!],
        forward: ({ levels: [fine, coarse] }) => [tf.add(fine!, resizeLike(coarse!, fine!, context))],
      }),
  }),
  defineHead({
    type: "flat",
    description: "a classifier",
    schema: Type.Object({ context: contextOption("coarsest") }),
    create: (_, { numClasses }, network) => new Flat(numClasses, network),
  }),
  defineAuxiliaryHead({
    type: "coarse",
    description: "a classifier on the last level",
    schema: none,
    create: (_, { numClasses }) => new Coarse(numClasses),
  }),
  defineLoss({
    type: "my_loss",
    description: "cross entropy, weighted",
    schema: Type.Object({ weight: Type.Number({ default: 1, description: "factor" }) }),
    create: ({ weight }, { ignoreIndex }) => ({
      name: "my_loss",
      forward: (logits, labels) =>
        tf.mul(softmaxCrossEntropy(logits, labels, { ignoreIndex, avgNonIgnore: false }), weight),
    }),
  }),
  defineDataset({
    type: "halves",
    description: "pictures of two colours",
    schema: none,
    info: () => info,
    create: (_, { split }) =>
      Promise.resolve({
        info,
        length: 4,
        id: (index: number) => `${split}/${index}`,
        files: () => null,
        load(index: number) {
          const [height, width] = [32, 32];
          const label = Uint8Array.from({ length: height * width }, (_, i) =>
            Number(i % width >= 12 + index),
          );
          const data = new Uint8Array(height * width * 3);
          for (const [i, c] of label.entries()) data[3 * i + 2 * c] = 200;
          return Promise.resolve({
            id: `${split}/${index}`,
            image: { height, width, channels: 3, data },
            label: { height, width, data: label },
          });
        },
      }),
  }),
  defineTransform({
    type: "invert",
    description: "255 minus each value; notes the thread",
    schema: Type.Object({ note: Type.String({ description: "a file" }) }),
    create: ({ note }) => ({
      apply(sample) {
        appendFileSync(note, `transform ${isMainThread ? "in the main thread" : "in a worker"}\n`);
        return { ...sample, image: sample.image.map((value) => 255 - value) };
      },
    }),
  }),
  defineOptimizer({
    type: "plain",
    description: "w ← w − lr·g",
    schema: none,
    create: (_, { parameters }) => ({
      apply(gradients, lr) {
        for (const [name, gradient] of Object.entries(gradients)) {
          const { variable } = parameters.get(name)!;
          tf.tidy(() => variable.assign(tf.sub(variable, tf.mul(gradient, lr))));
        }
      },
      state: () => new Map(),
      dispose: () => {},
    }),
  }),
  defineSchedule({
    type: "halving",
    description: "half the rate at each update",
    schema: none,
    create: (options) => ({
      iterations: (options as { iterations: number }).iterations,
      rate: (iteration, baseLr) => baseLr / 2 ** iteration,
    }),
  }),
  defineHook({
    type: "notes",
    description: "writes each update's rate and losses' names",
    schema: Type.Object({ note: Type.String({ description: "a file" }) }),
    create: ({ note }) => ({
      afterUpdate: ({ iteration, lr, losses }) =>
        appendFileSync(note, `update ${iteration} lr ${lr} ${Object.keys(losses).join(" ")}\n`),
    }),
  }),
  defineMetric({
    type: "missed",
    description: "share of a class's pixels that were not found; notes what it was made for",
    better: "lower",
    schema: Type.Object({
      of: Type.String({ description: "a class" }),
      note: pathOption({ description: "a file" }),
    }),
    create({ of, note }, { classes }) {
      appendFileSync(note, `metric of ${of} among ${classes.join(", ")}\n`);
      return {
        compute({ counts }) {
          const { intersection, label } = counts[classes.indexOf(of)]!;
          return 1 - intersection / label;
        },
      };
    },
  }),
  defineNameMap({
    type: "prefixed",
    description: "theirs.NAME for NAME",
    schema: none,
    create: () => ({
      toOurs: (name) => (name.startsWith("theirs.") ? name.slice("theirs.".length) : undefined),
      toTheirs: (name) => `theirs.${name}`,
    }),
  }),
];
