import * as tf from "@tensorflow/tfjs";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import {
  Backbone,
  Conv2d,
  defineBackbone,
  DropPath,
  Gelu,
  LayerNorm,
  Linear,
  Module,
  MultiHeadAttention,
  PositionEmbedding,
  type NetworkContext,
  Type,
} from "segfuse";

const schema = Type.Object({
  channels: Type.Integer({ minimum: 2, multipleOf: 2, default: 8, description: "of every level" }),
  grid: Type.Integer({ minimum: 1, default: 4, description: "position embeddings a side" }),
  drop_path: Type.Number({ minimum: 0, maximum: 1, default: 0.1, description: "probability" }),
});

/** Two levels, each patches of the one before and a transformer block (Dosovitskiy et al. 2020). */
export default defineBackbone({
  type: "tiny_transformer",
  description: "two levels of patches and attention",
  levelCount: 2,
  schema,
  create: ({ channels, grid, drop_path }, { inChannels }, network) => {
    const first = new Stage(inChannels, channels, 4, grid, drop_path, network);
    return new TinyTransformer([first, new Stage(channels, channels, 2, grid, drop_path, network)], channels);
  },
});

class TinyTransformer extends Backbone {
  readonly levels;

  constructor(
    readonly stages: readonly Stage[],
    channels: number,
  ) {
    super();
    this.levels = [4, 8].map((stride) => ({ channels, stride }));
  }

  forward(image: Tensor4D): Tensor4D[] {
    let x = image;
    return this.stages.map((stage) => (x = stage.forward(x)));
  }
}

class Stage extends Module {
  readonly patches: Conv2d;
  readonly pos_embed: PositionEmbedding;
  readonly norm1: LayerNorm;
  readonly attn: MultiHeadAttention;
  readonly norm2: LayerNorm;
  readonly mlp: [Linear, Gelu, Linear];
  private readonly path: DropPath;

  constructor(from: number, to: number, patch: number, grid: number, p: number, network: NetworkContext) {
    super();
    this.patches = new Conv2d({ kernel: patch, stride: patch, in: from, out: to });
    this.pos_embed = new PositionEmbedding([grid, grid], to);
    this.norm1 = new LayerNorm(to);
    this.attn = new MultiHeadAttention(to, 2);
    this.norm2 = new LayerNorm(to);
    this.mlp = [new Linear({ in: to, out: 4 * to }), new Gelu(), new Linear({ in: 4 * to, out: to })];
    this.path = new DropPath(network, p);
  }

  forward(image: Tensor4D): Tensor4D {
    const map = this.pos_embed.forward(this.patches.forward(image));
    const [batch, height, width, channels] = map.shape;
    let x: Tensor3D = tf.reshape(map, [batch, height * width, channels]);
    x = tf.add(x, this.path.forward(this.attn.forward(this.norm1.forward(x))));
    const [up, gelu, down] = this.mlp;
    x = tf.add(x, this.path.forward(down.forward(gelu.forward(up.forward(this.norm2.forward(x))))));
    return tf.reshape(x, map.shape);
  }
}
