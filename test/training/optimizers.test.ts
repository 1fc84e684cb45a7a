import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { zeros } from "../../src/nn/initialisers.ts";
import { Parameter } from "../../src/nn/parameter.ts";
import { createRegistry } from "../../src/builtin.ts";
import { clipGradients } from "../../src/training/gradients.ts";
import { assign } from "../../src/weights/load.ts";
import { toFileOrder, toMemoryOrder } from "../../src/weights/layout.ts";
import { readSafetensors, type StoredTensor } from "../../src/weights/safetensors.ts";
import { useEngine } from "../helpers/engine.ts";
import { fixturePath } from "../helpers/fixtures.ts";
import type { Optimizer } from "../../src/training/optimizers/contracts.ts";

const steps = 5;
const baseLr = 0.1;
const registry = createRegistry();
let fixture: Map<string, StoredTensor>;
beforeAll(async () => {
  await useEngine();
  fixture = (await readSafetensors(fixturePath("optimizers.safetensors"))).tensors;
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

const defaults = {
  sgd: { momentum: 0.9, nesterov: false, weight_decay: 1e-2, norm_bias_decay: false },
  adamw: { betas: [0.9, 0.999], eps: 1e-8, weight_decay: 1e-2, amsgrad: false, norm_bias_decay: false },
};

function create(type: "sgd" | "adamw", options: object, trained: Map<string, Parameter>): Optimizer {
  const paramwise = [{ match: "head.*", lr_mult: 10, decay_mult: 0.5 }];
  const full = { ...defaults[type], paramwise, ...options };
  return registry.get("optimizer", type).create(full, { parameters: trained });
}

function rate(t: number): number {
  const options = { iterations: steps, power: 0.9, min_lr: 0, warmup: { iterations: 0, ratio: 0.1 } };
  return registry.get("schedule", "poly").create(options).rate(t, baseLr);
}

/** One update with the fixture's gradients; at step 2 the loss does not depend on the normalisation. */
function update(optimizer: Optimizer, trained: Map<string, Parameter>, t: number, clip: number | null) {
  let gradients: tf.NamedTensorMap = {};
  for (const [name, { shape, layout }] of trained) {
    if (t === 2 && name === "bn.weight") continue;
    gradients[name] = tf.tensor(toMemoryOrder(layout, shape, values(`gradient.${t}.${name}`)), [...shape]);
  }
  if (clip !== null) gradients = clipGradients(gradients, clip);
  optimizer.apply(gradients, rate(t));
  tf.dispose(gradients);
}

/** The largest difference to the fixture's tensor. */
function difference({ shape, layout, variable }: Parameter, expected: Float32Array): number {
  const actual = toFileOrder(layout, shape, variable.dataSync() as Float32Array);
  expect(actual.length).toBe(expected.length);
  return Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
}

function dispose(optimizer: Optimizer, trained: Map<string, Parameter>): void {
  optimizer.dispose();
  for (const parameter of trained.values()) parameter.dispose();
}

describe("five steps equal PyTorch's", () => {
  let before: number;
  beforeAll(() => (before = tf.memory().numTensors));
  afterAll(() => expect(tf.memory().numTensors).toBe(before));

  it.each([
    ["sgd", "plain", { momentum: 0, weight_decay: 0 }, null],
    ["sgd", "momentum", {}, null],
    ["sgd", "nesterov", { nesterov: true }, null],
    ["sgd", "clipped", {}, 0.5],
    ["sgd", "all_decay", { nesterov: true, weight_decay: 0.1, norm_bias_decay: true }, null],
    ["adamw", "adamw", {}, null],
    [
      "adamw",
      "adamw_options",
      { betas: [0.8, 0.95], eps: 1e-3, weight_decay: 0.1, norm_bias_decay: true },
      null,
    ],
    ["adamw", "amsgrad", { betas: [0.5, 0.6], amsgrad: true }, 0.5],
  ] as const)("%s: %s", (type, caseName, options, clip) => {
    const trained = parameters();
    const optimizer = create(type, options, trained);
    for (let t = 0; t < steps; t++) {
      update(optimizer, trained, t, clip);
      for (const [name, parameter] of trained) {
        const error = difference(parameter, values(`${caseName}.${t}.${name}`));
        expect(error, `${name} after step ${t}`).toBeLessThan(2e-6);
      }
    }
    if (type === "adamw") {
      const state = optimizer.state();
      const inFixture = [...fixture.keys()].filter((name) => name.startsWith(`${caseName}.state.`));
      const short = (name: string) => name.replace(`${caseName}.state.`, "");
      expect([...state.keys()].sort()).toEqual(inFixture.map(short).sort());
      for (const name of inFixture)
        expect(difference(state.get(short(name))!, values(name)), name).toBeLessThan(2e-6);
    }
    dispose(optimizer, trained);
  });
});

describe("sgd", () => {
  it("names its state as PyTorch does", () => {
    const trained = parameters();
    const optimizer = create("sgd", {}, trained);
    expect([...optimizer.state().keys()]).toEqual([
      "kernel.momentum_buffer",
      "bn.weight.momentum_buffer",
      "head.bias.momentum_buffer",
    ]);
    dispose(optimizer, trained);
  });

  it("leaves a parameter without a gradient alone, weight decay included", () => {
    const trained = parameters();
    const optimizer = create("sgd", { weight_decay: 1, norm_bias_decay: true, paramwise: [] }, trained);
    const gradients = { "head.bias": tf.ones([4]) };
    optimizer.apply(gradients, 0.1);
    expect(trained.get("bn.weight")!.variable.dataSync()).toEqual(values("start.bn.weight"));
    const start = values("start.head.bias");
    // norm_bias_decay: the bias decays as well: w − 0.1·(1 + w)
    const bias = trained.get("head.bias")!.variable.dataSync();
    for (const [i, w] of start.entries()) expect(bias[i]).toBeCloseTo(w - 0.1 * (1 + w), 6);
    tf.dispose(gradients);
    dispose(optimizer, trained);
  });
});

describe.each(["sgd", "adamw"] as const)("%s", (type) => {
  it("goes on from a stored state as if it had never stopped, bit for bit", () => {
    const [whole, resumed] = [parameters(), parameters()];
    const [first, second] = [create(type, {}, whole), create(type, {}, resumed)];
    for (let t = 0; t < 3; t++) update(first, whole, t, null);
    const copy = (from: ReadonlyMap<string, Parameter>, to: ReadonlyMap<string, Parameter>) => {
      for (const [name, { shape, layout, variable }] of from) {
        const stored = Float32Array.from(variable.dataSync());
        assign(to.get(name)!, toFileOrder(layout, shape, stored));
      }
    };
    copy(whole, resumed);
    copy(first.state(), second.state());
    for (let t = 3; t < steps; t++) {
      update(first, whole, t, null);
      update(second, resumed, t, null);
    }
    for (const [name, { variable }] of whole)
      expect(resumed.get(name)!.variable.dataSync(), name).toEqual(variable.dataSync());
    dispose(first, whole);
    dispose(second, resumed);
  });
});
