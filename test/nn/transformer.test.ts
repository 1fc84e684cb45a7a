import * as tf from "@tensorflow/tfjs";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { relu } from "../../src/engine/ops/index.ts";
import {
  DropPath,
  Gelu,
  GroupNorm,
  LayerNorm,
  Linear,
  makeNorm,
  materialise,
  Module,
  MultiHeadAttention,
  NetworkContext,
  PositionEmbedding,
  truncatedNormal,
  xavierUniform,
} from "../../src/nn/index.ts";
import { Random } from "../../src/util/random.ts";
import { useEngine } from "../helpers/engine.ts";
import {
  assignRecipe,
  expectGradients,
  expectMap,
  featureMap,
  fixturePath,
  gradientsOf,
  readFixture,
  recipe,
  stored,
} from "../helpers/fixtures.ts";

// What transformers are made of, against PyTorch's modules (test/fixtures/make_transformer.py).

const [batch, channels, height, width] = [2, 6, 5, 7];

class Block extends Module {
  readonly positions = new PositionEmbedding([3, 4], channels);
  readonly norm0 = new GroupNorm(channels, 3);
  readonly norm1 = new LayerNorm(channels);
  readonly attn = new MultiHeadAttention(channels, 2);
  readonly cross = new MultiHeadAttention(channels, 3);
  readonly norm2 = new LayerNorm(channels, 1e-6);
  readonly mlp = [new Linear({ in: channels, out: 10 }), new Linear({ in: 10, out: channels, bias: false })];
  readonly norm3 = new LayerNorm(channels);

  forward(x: Tensor4D) {
    const positions = this.positions.forward(x);
    const group = relu(this.norm0.forward(positions));
    const tokens: Tensor3D = tf.reshape(group, [batch, height * width, channels]);
    const attention = tf.add<Tensor3D>(tokens, this.attn.forward(this.norm1.forward(tokens)));
    const few = tf.slice3d(attention, [0, 0, 0], [-1, 4, -1]);
    const cross = tf.add<Tensor3D>(attention, this.cross.forward(attention, few));
    const [first, second] = this.mlp;
    const hidden = new Gelu().forward(first!.forward(this.norm2.forward(cross)));
    const mlp = tf.add<Tensor3D>(cross, second!.forward(hidden));
    const layer = this.norm3.forward<Tensor4D>(tf.reshape(mlp, x.shape));
    return { positions, group, attention, cross, mlp, layer };
  }
}

function map(name: string, shape: [number, number, number, number]): Tensor4D {
  const values = recipe(
    name,
    shape.reduce((a, b) => a * b),
    name === "cotangent" ? -1 : -2,
    name === "cotangent" ? 1 : 2,
  );
  return featureMap({ shape, values });
}

describe("transformers' parts", () => {
  beforeAll(() => useEngine());

  it("give PyTorch's outputs and gradients, stage by stage", () => {
    const fixture = readFixture(fixturePath("transformer.safetensors"));
    const block = new Block();
    assignRecipe(block);
    const x = map("x", [batch, channels, height, width]);
    const { positions, group, layer, ...tokens } = block.forward(x);
    for (const [name, stage] of Object.entries({ positions, group, layer }))
      expectMap(stage, stored(fixture, name), 1e-5, name);
    for (const [name, stage] of Object.entries(tokens)) {
      const { shape, values } = stored(fixture, name);
      expect(stage.shape).toEqual(shape);
      const most = Math.max(...values.map(Math.abs));
      const found = stage.dataSync<"float32">();
      const difference = found.reduce((worst, v, i) => Math.max(worst, Math.abs(v - values[i]!)), 0);
      expect(difference / most, name).toBeLessThan(1e-5);
    }
    expectMap(
      block.positions.forward(map("smaller", [1, channels, 2, 3])),
      stored(fixture, "smaller"),
      1e-5,
      "smaller",
    );
    const loss = () =>
      tf.sum(tf.mul(block.forward(x).layer, map("cotangent", [batch, channels, height, width]))).asScalar();
    expectGradients(block, gradientsOf(block, loss), fixture);
  });

  it("a network's norm is made in one place", () => {
    const made = (type: "batch" | "sync_batch" | "group" | "layer") =>
      makeNorm(6, new NetworkContext({ alignCorners: false, norm: { type, groups: 3 } })).constructor.name;
    expect([made("batch"), made("sync_batch"), made("group"), made("layer")]).toEqual([
      "BatchNorm2d",
      "BatchNorm2d",
      "GroupNorm",
      "LayerNorm",
    ]);
    expect(() => new GroupNorm(6, 4)).toThrow(expect.objectContaining({ code: "SEGFUSE_COMPONENT_OPTIONS" }));
  });

  it("drop path drops whole samples, keeps their mean, and gives a step's masks again", () => {
    const context = new NetworkContext({ alignCorners: false });
    const path = new DropPath(context, 0.25);
    const x = tf.ones<tf.Rank.R3>([4000, 2, 3]);
    expect(path.forward(x)).toBe(x);
    context.training = true;
    const samples = tf.unstack(path.forward(x)).map((sample) => [...new Set(sample.dataSync())]);
    expect(samples.every((values) => values.length === 1)).toBe(true);
    const values = samples.flat();
    expect(new Set(values)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.05);
    expect(path.forward(x).dataSync()).toEqual(path.forward(x).dataSync());
    context.step = { seed: 0, iteration: 1, firstSample: 0 };
    expect([...path.forward(x).dataSync()].filter((_, i) => i % 6 === 0)).not.toEqual(values);
  });

  it("initialisers have the documented spread", () => {
    const random = new Random(0, "test");
    const truncated = truncatedNormal(1.5)([20_000], random);
    expect(Math.max(...truncated.map(Math.abs))).toBeLessThanOrEqual(2);
    // SciPy 1.17.1: truncnorm.std(-4/3, 4/3, scale=1.5) is 1.02292; of 20,000 numbers a standard error is 0.005 or less.
    const spread = Math.sqrt(truncated.reduce((sum, v) => sum + v * v, 0) / truncated.length);
    expect(Math.abs(spread - 1.02292)).toBeLessThan(0.015);
    const uniform = xavierUniform([30, 20], random);
    const bound = Math.sqrt(6 / 50);
    expect(Math.max(...uniform.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...uniform)).toBeGreaterThan(0.95 * bound);
  });

  it("a linear layer's weight is [out, in]", () => {
    const linear = new Linear({ in: 3, out: 2 });
    materialise(linear, 0);
    linear.weight.variable.assign(tf.tensor2d([1, 0, 0, 0, 1, 1], [2, 3]));
    expect([...linear.forward(tf.tensor3d([1, 2, 3], [1, 1, 3])).dataSync()]).toEqual([1, 5]);
  });
});
