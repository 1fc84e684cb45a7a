import {
  ConvBnRelu,
  Conv2d,
  defineNeck,
  Neck,
  normal,
  resizeTo,
  tf,
  Type,
  type LevelInfo,
  type NeckInputs,
  type NeckTensors,
  type NetworkContext,
  type Static,
} from "segfuse";

const Options = Type.Object({
  channels: Type.Integer({
    minimum: 1,
    default: 256,
    description: "channels that every level is reduced to",
  }),
});

/**
 * A weighted mean of all levels at the finest one's size. The weights of one position are the softmax over the levels
 * of a 1×1 convolution each, so that levels compete; the gates of gated fully fusion are independent of each other.
 */
export default defineNeck({
  type: "softmax_fusion",
  isPyramid: false,
  description: "a mean of all levels, weighted at each position by a softmax over the levels",
  schema: Options,
  create: (options, inputs, context) => new SoftmaxFusion(options, inputs, context),
});

class SoftmaxFusion extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext = false;
  readonly isPyramid = false;
  readonly reduce: ConvBnRelu[];
  /** Near zero at the start: every level then weighs the same. */
  readonly gates: Conv2d[];
  readonly refine: ConvBnRelu;
  readonly #context: NetworkContext;

  constructor({ channels }: Static<typeof Options>, { levels }: NeckInputs, context: NetworkContext) {
    super();
    this.reduce = levels.map(
      (level) => new ConvBnRelu(context, { kernel: 1, in: level.channels, out: channels }),
    );
    this.gates = levels.map(() => new Conv2d({ kernel: 1, in: channels, out: 1, initialiser: normal(0.01) }));
    this.refine = new ConvBnRelu(context, { kernel: 3, in: channels, out: channels });
    this.outputs = [{ channels, stride: levels[0]!.stride }];
    this.#context = context;
  }

  forward(tensors: NeckTensors): tf.Tensor4D[] {
    const { maps, gates } = this.weigh(tensors);
    return [this.refine.forward(tf.addN(maps.map((map, l) => tf.mul<tf.Tensor4D>(map, gates[l]!))))];
  }

  /** What `segfuse report` draws as gate maps. */
  override gateMaps(tensors: NeckTensors): tf.Tensor4D[] {
    return this.weigh(tensors).gates;
  }

  /** Levels [batch, height, width, channels] at the finest size, and their weights [batch, height, width, 1]. */
  private weigh({ levels, closedGates = [] }: NeckTensors): { maps: tf.Tensor4D[]; gates: tf.Tensor4D[] } {
    const [, height, width] = levels[0]!.shape;
    const maps = this.reduce.map((reduce, l) => {
      return resizeTo(reduce.forward(levels[l]!), [height, width], this.#context);
    });
    const scores = tf.concat<tf.Tensor4D>(
      maps.map((map, l) => this.gates[l]!.forward(map)),
      3,
    );
    const gates = tf.split<tf.Tensor4D>(tf.softmax(scores), maps.length, 3);
    return { maps, gates: gates.map((gate, l) => (closedGates.includes(l) ? tf.zerosLike(gate) : gate)) };
  }
}
