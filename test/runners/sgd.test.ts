import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zeros } from "../../src/nn/initialisers.ts";
import { Parameter } from "../../src/nn/parameter.ts";
import { clipGradients } from "../../src/runners/gradients.ts";
import sgd from "../../src/runners/optimizers/sgd.ts";
import polySchedule from "../../src/runners/schedules/poly.ts";
import { assign } from "../../src/weights/load.ts";
import { toFileOrder, toMemoryOrder } from "../../src/weights/layout.ts";
import { readSafetensors, type StoredTensor } from "../../src/weights/safetensors.ts";
import { useEngine } from "../helpers/engine.ts";
import { fixturePath } from "../helpers/fixtures.ts";

const steps = 5;
const baseLr = 0.1;
let fixture: Map<string, StoredTensor>;
beforeAll(async () => {
  await useEngine();
  fixture = (await readSafetensors(fixturePath("sgd.safetensors"))).tensors;
});

function values(name: string): Float32Array {
  return Float32Array.from(fixture.get(name)!.data);
}

function parameters(): Map<string, Parameter> {
  const made = new Map([
    ["kernel", new Parameter({ shape: [3, 3, 3, 4], layout: "conv", role: "weight", initialiser: zeros })],
    ["bn.weight", new Parameter({ shape: [4], role: "norm_weight", initialiser: zeros })],
    ["head.bias", new Parameter({ shape: [4], role: "bias", initialiser: zeros })],
  ]);
  for (const [name, parameter] of made) assign(parameter, values(`start.${name}`));
  return made;
}

function schedule(options: object) {
  const defaults = { iterations: steps, power: 0.9, min_lr: 0, warmup: { iterations: 0, ratio: 0.1 } };
  return polySchedule.create({ ...defaults, ...options });
}

describe("sgd", () => {
  let before: number;
  beforeAll(() => (before = tf.memory().numTensors));
  afterAll(() => expect(tf.memory().numTensors).toBe(before));

  it.each([
    { name: "plain", momentum: 0, nesterov: false, weight_decay: 0, clip: null },
    { name: "momentum", momentum: 0.9, nesterov: false, weight_decay: 1e-2, clip: null },
    { name: "nesterov", momentum: 0.9, nesterov: true, weight_decay: 1e-2, clip: null },
    { name: "clipped", momentum: 0.9, nesterov: false, weight_decay: 1e-2, clip: 0.5 },
  ])("$name: five steps equal torch.optim.SGD's", ({ name: caseName, clip, ...options }) => {
    const trained = parameters();
    const paramwise = [{ match: "head.*", lr_mult: 10, decay_mult: 1 }];
    const optimizer = sgd.create(
      { ...options, norm_bias_decay: false, paramwise },
      {
        parameters: trained,
      },
    );
    const poly = schedule({});
    for (let t = 0; t < steps; t++) {
      let gradients: tf.NamedTensorMap = {};
      for (const [name, { shape, layout }] of trained) {
        gradients[name] = tf.tensor(toMemoryOrder(layout, shape, values(`gradient.${t}.${name}`)), [
          ...shape,
        ]);
      }
      if (clip !== null) gradients = clipGradients(gradients, clip);
      optimizer.apply(gradients, poly.rate(t, baseLr));
      tf.dispose(gradients);
      for (const [name, { shape, layout, variable }] of trained) {
        const actual = toFileOrder(layout, shape, variable.dataSync() as Float32Array);
        const expected = values(`${caseName}.${t}.${name}`);
        const error = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
        expect(error, `${name} after step ${t}`).toBeLessThan(2e-6);
      }
    }
    expect([...optimizer.state().keys()]).toEqual([
      "kernel.momentum_buffer",
      "bn.weight.momentum_buffer",
      "head.bias.momentum_buffer",
    ]);
    optimizer.dispose();
    for (const parameter of trained.values()) parameter.dispose();
  });

  it("leaves a parameter without a gradient alone, weight decay included", () => {
    const trained = parameters();
    const options = { momentum: 0.9, nesterov: false, weight_decay: 1, norm_bias_decay: true, paramwise: [] };
    const optimizer = sgd.create(options, { parameters: trained });
    const gradients = { "head.bias": tf.ones([4]) };
    optimizer.apply(gradients, 0.1);
    expect(trained.get("bn.weight")!.variable.dataSync()).toEqual(values("start.bn.weight"));
    const start = values("start.head.bias");
    // norm_bias_decay: the bias decays as well: w − 0.1·(1 + w)
    const bias = trained.get("head.bias")!.variable.dataSync();
    for (const [i, w] of start.entries()) expect(bias[i]).toBeCloseTo(w - 0.1 * (1 + w), 6);
    tf.dispose(gradients);
    optimizer.dispose();
    for (const parameter of trained.values()) parameter.dispose();
  });
});

describe("poly", () => {
  it("decays to the last update's rate above min_lr", () => {
    const poly = schedule({ iterations: 4, power: 1, min_lr: 0.2 });
    expect([0, 1, 2, 3].map((t) => Number(poly.rate(t, 1).toFixed(6)))).toEqual([1, 0.8, 0.6, 0.4]);
  });

  it("warms up linearly from the ratio while it decays underneath", () => {
    const poly = schedule({ iterations: 8, power: 1, warmup: { iterations: 4, ratio: 0.2 } });
    const expected = [0.2, 0.4, 0.6, 0.8, 1, 1].map((factor, t) => factor * (1 - t / 8));
    for (const [t, value] of expected.entries()) expect(poly.rate(t, 1)).toBeCloseTo(value, 12);
  });
});
