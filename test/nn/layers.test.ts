import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import { Relu, Relu6 } from "../../src/nn/activation.ts";
import { addResidual } from "../../src/nn/add_residual.ts";
import { BatchNorm2d } from "../../src/nn/batch_norm.ts";
import { NetworkContext } from "../../src/nn/context.ts";
import { ConvBnRelu } from "../../src/nn/conv_bn_relu.ts";
import { Conv2d } from "../../src/nn/conv2d.ts";
import { Dropout2d } from "../../src/nn/dropout.ts";
import { kaimingNormalFanOut, kaimingNormalFanOutDepthwise, normal } from "../../src/nn/initialisers.ts";
import { materialise } from "../../src/nn/materialise.ts";
import { resizeLike } from "../../src/nn/resize.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { Random } from "../../src/util/random.ts";
import { useEngine } from "../helpers/engine.ts";
import { assignRecipe, recipe } from "../helpers/fixtures.ts";

beforeAll(() => useEngine());

function newContext(alignCorners = false) {
  return new NetworkContext({ alignCorners });
}

function map(name: string, shape: [number, number, number, number]): tf.Tensor4D {
  return tf.tensor4d(
    recipe(
      name,
      shape.reduce((a, b) => a * b),
      -1,
      1,
    ),
    shape,
  );
}

describe("BatchNorm2d", () => {
  it("moves the running statistics by a tenth towards the batch's, its variance unbiased", () => {
    const context = newContext();
    context.training = true;
    const bn = new BatchNorm2d(1, context);
    materialise(bn, 0);
    // Mean 3, unbiased variance 20/3.
    const y = bn.forward(tf.tensor4d([0, 2, 4, 6], [1, 2, 2, 1]));
    expect(bn.running_mean.variable.dataSync()[0]).toBeCloseTo(0.3, 6);
    expect(bn.running_var.variable.dataSync()[0]).toBeCloseTo(0.9 + 0.1 * (20 / 3), 6);
    // Normalised by the biased variance, 5.
    expect([...y.dataSync()].map((v) => v * Math.sqrt(5))).toEqual(
      [-3, -1, 1, 3].map((v) => expect.closeTo(v, 4) as number),
    );
  });

  it("leaves them alone while a block is recomputed, when frozen and outside training", () => {
    const context = newContext();
    const bn = new BatchNorm2d(3, context);
    assignRecipe(bn);
    const before = [...bn.running_var.variable.dataSync()];
    const x = map("x", [2, 4, 4, 3]);
    const evaluated = bn.forward(x);
    context.training = true;
    context.recomputing = true;
    bn.forward(x);
    context.recomputing = false;
    bn.frozenStatistics = true;
    expect([...bn.forward(x).dataSync()]).toEqual([...evaluated.dataSync()]);
    expect([...bn.running_var.variable.dataSync()]).toEqual(before);
  });

  it("refuses one value per channel in training", () => {
    const context = newContext();
    const layer = new ConvBnRelu(context, { kernel: 1, in: 2, out: 3 });
    materialise(layer, 0);
    layer.forward(map("x", [1, 1, 1, 2]));
    context.training = true;
    let report = "";
    try {
      layer.forward(map("x", [1, 1, 1, 2]));
    } catch (error) {
      report = (error as SegfuseError).report();
    }
    expect(report).toMatchInlineSnapshot(`
      "SEGFUSE_BATCH_NORM_ONE_VALUE: batch normalisation of one value per channel
        expected: more than one value per channel in training
        found: an input of shape [1, 1, 1, 3]
        try: use data.batch_size 2 or more (pooling to 1×1 leaves one value per image)"
    `);
    expect(layer.forward(map("x", [2, 1, 1, 2])).shape).toEqual([2, 1, 1, 3]);
  });
});

describe("Dropout2d", () => {
  function dropped(context: NetworkContext, dropout: Dropout2d, x: tf.Tensor4D) {
    context.training = true;
    return tf.tidy(() => dropout.forward(x).arraySync());
  }

  it("is x itself outside training", () => {
    const x = map("x", [1, 2, 2, 3]);
    expect(new Dropout2d(newContext(), 0.5).forward(x)).toBe(x);
  });

  it("drops whole channels, scales the others, and has the right share of them", () => {
    const context = newContext();
    const dropout = new Dropout2d(context, 0.1);
    const y = dropped(context, dropout, tf.ones([4, 2, 3, 1000]));
    let zeros = 0;
    for (const sample of y) {
      for (let c = 0; c < 1000; c++) {
        const values = new Set(sample.flat().map((pixel) => pixel[c]));
        expect(values.size).toBe(1);
        const [value] = values;
        if (value === 0) zeros++;
        else expect(value).toBeCloseTo(1 / 0.9, 6);
      }
    }
    // 400 expected of 4000, standard deviation 19.
    expect(Math.abs(zeros - 400)).toBeLessThan(4 * 19);
  });

  it("depends on seed, iteration, sample and layer, not on how a batch is cut", () => {
    const context = newContext();
    const [first, second] = [new Dropout2d(context, 0.5), new Dropout2d(context, 0.5)];
    const x = tf.ones<tf.Rank.R4>([2, 1, 1, 64]);
    const at = (seed: number, iteration: number, firstSample: number, dropout = first) => {
      context.step = { seed, iteration, firstSample };
      return dropped(context, dropout, x).map(String);
    };
    const start = at(0, 0, 0);
    expect(at(0, 0, 0)).toEqual(start);
    expect(start[0]).not.toEqual(start[1]);
    expect(at(0, 0, 1)[0]).toEqual(start[1]);
    for (const other of [at(1, 0, 0), at(0, 1, 0), at(0, 0, 0, second)]) {
      expect(other[0]).not.toEqual(start[0]);
    }
  });

  it("passes gradients through the same mask", () => {
    const context = newContext();
    const dropout = new Dropout2d(context, 0.5);
    const x = tf.ones<tf.Rank.R4>([2, 3, 3, 16]);
    const mask = dropped(context, dropout, x);
    const gradient = tf.grad((x) => tf.sum(dropout.forward(x as tf.Tensor4D)))(x);
    expect(gradient.arraySync()).toEqual(mask);
  });
});

describe("initialisers", () => {
  function moments(values: Float32Array) {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const square = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    const fourth = values.reduce((sum, v) => sum + v ** 4, 0) / values.length;
    return { mean, deviation: Math.sqrt(square), kurtosis: fourth / square ** 2 };
  }

  it("draw normal numbers of the stated deviation", () => {
    const conv = moments(kaimingNormalFanOut([3, 3, 64, 128], new Random(0)));
    expect(conv.deviation).toBeCloseTo(Math.sqrt(2 / (9 * 128)), 3);
    expect(conv.mean).toBeCloseTo(0, 3);
    expect(conv.kurtosis).toBeCloseTo(3, 1);
    // PyTorch's weight is [960, 1, 3, 3]: fan-out 960·9.
    const depthwise = moments(kaimingNormalFanOutDepthwise([3, 3, 960, 1], new Random(0)));
    expect(depthwise.deviation).toBeCloseTo(Math.sqrt(2 / (9 * 960)), 3);
    expect(moments(normal(0.01)([19, 1001], new Random(0))).deviation).toBeCloseTo(0.01, 3);
  });

  it("give a parameter values that depend on its name and the seed alone", () => {
    const context = newContext();
    const values = (seed: number, prefix: string, out: number) => {
      const layer = new ConvBnRelu(context, { kernel: 3, in: 2, out });
      materialise(layer, seed, prefix);
      return [...layer.conv.weight.variable.dataSync()];
    };
    expect(values(0, "a", 4)).toEqual(values(0, "a", 4));
    expect(values(0, "a", 4)).not.toEqual(values(1, "a", 4));
    expect(values(0, "a", 4)).not.toEqual(values(0, "b", 4));
  });

  it("leave variables that exist", () => {
    const layer = new Conv2d({ kernel: 1, in: 1, out: 1 });
    materialise(layer, 0);
    const { variable } = layer.weight;
    materialise(layer, 1);
    expect(layer.weight.variable).toBe(variable);
    layer.dispose();
    expect(() => layer.forward(map("x", [1, 1, 1, 1]))).toThrow("before its network was materialised");
  });
});

describe("sequential", () => {
  it("gives the same with an activation fused as without", () => {
    const context = newContext();
    const bn = new BatchNorm2d(3, context);
    assignRecipe(bn);
    const x = tf.mul<tf.Tensor4D>(map("x", [2, 5, 4, 3]), 20);
    for (const activation of [new Relu(), new Relu6()]) {
      const apart = activation.forward(bn.forward(x));
      expect([...sequential([bn, activation], x).dataSync()]).toEqual([...apart.dataSync()]);
      expect([...sequential([activation, bn], x).dataSync()]).toEqual([
        ...bn.forward(activation.forward(x)).dataSync(),
      ]);
    }
  });
});

describe("addResidual", () => {
  it.each(["none", "relu"] as const)("has the gradient of add and %s", (activation) => {
    const [x, y, dy] = ["x", "y", "dy"].map((name) => map(name, [2, 4, 3, 5])) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
    const plain = (x: tf.Tensor, y: tf.Tensor) =>
      activation === "relu" ? tf.relu(tf.add(x, y)) : tf.add(x, y);
    const expected = tf.grads(plain)([x, y], dy);
    const actual = tf.grads((x, y) => addResidual(x as tf.Tensor4D, y as tf.Tensor4D, activation))(
      [x, y],
      dy,
    );
    expect(actual.map((g) => [...g.dataSync()])).toEqual(expected.map((g) => [...g.dataSync()]));
    // One tensor in both places.
    const twice = tf.grad((x) => addResidual(x as tf.Tensor4D, x as tf.Tensor4D))(x);
    expect(new Set(twice.dataSync())).toEqual(new Set([2]));
  });
});

describe("resizeLike", () => {
  it("follows the network's align_corners and leaves equal sizes", () => {
    const x = tf.tensor4d([0, 3], [1, 1, 2, 1]);
    const y = tf.zeros<tf.Rank.R4>([1, 1, 4, 7]);
    expect([...resizeLike(x, y, newContext(true)).dataSync()]).toEqual([0, 1, 2, 3]);
    expect([...resizeLike(x, y, newContext(false)).dataSync()]).toEqual([0, 0.75, 2.25, 3]);
    expect(resizeLike(x, tf.zeros([3, 1, 2, 5]), newContext())).toBe(x);
  });
});
