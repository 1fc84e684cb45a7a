import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { BatchNorm2d } from "../../src/nn/batch_norm.ts";
import { checkpointed, withoutTape } from "../../src/nn/checkpointed.ts";
import { NetworkContext } from "../../src/nn/context.ts";
import { ConvBnRelu } from "../../src/nn/conv_bn_relu.ts";
import { Module } from "../../src/nn/module.ts";
import { assignRecipe, gradientsOf, recipe } from "../helpers/fixtures.ts";
import { useEngine } from "../helpers/engine.ts";

beforeAll(() => useEngine());

class Stack extends Module {
  readonly blocks: ConvBnRelu[];

  constructor(
    private readonly context: NetworkContext,
    private readonly recompute: boolean,
  ) {
    super();
    this.blocks = [0, 1, 2].map(
      (i) => new ConvBnRelu(context, { kernel: 3, in: i === 0 ? 3 : 4, out: 4, dilation: i + 1 }),
    );
    context.training = true;
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    for (const block of this.blocks) {
      x = this.recompute ? checkpointed(this.context, block, x, (x) => block.forward(x)) : block.forward(x);
    }
    return x;
  }
}

/** One training step's gradients, running statistics and what the tape held in bytes. */
function step(recompute: boolean) {
  const module = new Stack(new NetworkContext({ alignCorners: false }), recompute);
  assignRecipe(module);
  const image = tf.tensor4d(recipe("image", 2 * 9 * 7 * 3, -1, 1), [2, 9, 7, 3]);
  let held = 0;
  const before = tf.memory().numBytes;
  const gradients = gradientsOf(module, () => {
    const loss = tf.tidy(() => tf.sum<tf.Scalar>(tf.square(module.forward(image))));
    held = tf.memory().numBytes - before;
    return loss;
  });
  const values = new Map([...gradients].map(([name, g]) => [name, [...g.dataSync()]]));
  const running = [...module.namedParameters()]
    .filter(([, parameter]) => parameter.role.startsWith("running"))
    .map(([name, parameter]) => [name, [...parameter.variable.dataSync()]]);
  gradients.forEach((g) => g.dispose());
  module.dispose();
  image.dispose();
  return { values, running, held };
}

describe("recomputation in the backward pass", () => {
  it("gives the gradients and the running statistics of a plain pass, and keeps less", () => {
    const plain = step(false);
    const again = step(true);
    expect(again.values.size).toBe(9);
    expect(again.values).toEqual(plain.values);
    expect(again.running).toEqual(plain.running);
    expect(again.held).toBeLessThan(0.6 * plain.held);
  });

  it("leaks nothing", () => {
    step(true);
    const before = tf.memory().numTensors;
    step(true);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("a part without tape", () => {
  it("gives its output, keeps nothing and lets no gradient in", () => {
    const context = new NetworkContext({ alignCorners: false });
    const bn = new BatchNorm2d(3, context);
    assignRecipe(bn);
    const x = tf.variable(tf.tensor4d(recipe("x", 48, -1, 1), [1, 4, 4, 3]));
    const { value, grads } = tf.variableGrads(
      () =>
        tf.sum<tf.Scalar>(
          tf.mul(
            withoutTape(x as tf.Tensor4D, (x) => bn.forward(x)),
            x,
          ),
        ),
      [x],
    );
    const y = bn.forward(x);
    expect(value.dataSync()[0]).toBeCloseTo(tf.sum(tf.mul(y, x)).dataSync()[0]!, 5);
    expect([...grads[x.name]!.dataSync()]).toEqual([...y.dataSync()]);
  });
});
