import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import mobilenetV2 from "../../../src/models/backbones/mobilenet_v2.ts";
import resnet from "../../../src/models/backbones/resnet.ts";
import type { Backbone, BackboneRecord } from "../../../src/models/backbones/contracts.ts";
import { NetworkContext } from "../../../src/nn/context.ts";
import { materialise } from "../../../src/nn/materialise.ts";
import { useEngine } from "../../helpers/engine.ts";
import { assignRecipe, gradientsOf, recipe } from "../../helpers/fixtures.ts";
import { withDefaults } from "./defaults.ts";

beforeAll(() => useEngine());

function make(record: BackboneRecord, options: Record<string, unknown>, context = newContext()): Backbone {
  return record.create(withDefaults(record, options), { inChannels: 3 }, context);
}

function newContext() {
  return new NetworkContext({ alignCorners: false });
}

function trainedSize(backbone: Backbone): number {
  return [...backbone.namedParameters()].reduce((sum, [, p]) => sum + (p.trainable ? p.size : 0), 0);
}

describe("number of trained parameters", () => {
  // From oracles/parameters.json, counted there from PyTorch graphs.
  it.each([
    ["resnet 50 v1c", resnet, { depth: 50 }, 23_527_264],
    ["resnet 101 v1c", resnet, { depth: 101 }, 42_519_392],
    ["mobilenet_v2", mobilenetV2, {}, 1_811_712],
  ] as const)("%s", (_, record, options, count) => {
    expect(trainedSize(make(record, options))).toBe(count);
  });

  // torchvision's whole networks less their classifiers.
  it.each([
    [18, 11_689_512 - 513_000],
    [34, 21_797_672 - 513_000],
    [50, 25_557_032 - 2_049_000],
    [101, 44_549_160 - 2_049_000],
    [152, 60_192_808 - 2_049_000],
  ])("resnet %i v1", (depth, count) => {
    expect(trainedSize(make(resnet, { depth, stem: "v1" }))).toBe(count);
  });
});

describe("levels", () => {
  it.each([
    [8, [4, 8, 8, 8]],
    [16, [4, 8, 16, 16]],
    [32, [4, 8, 16, 32]],
  ])("at output stride %i", (output_stride, strides) => {
    expect(make(resnet, { depth: 50, output_stride }).levels).toEqual(
      [256, 512, 1024, 2048].map((channels, i) => ({ channels, stride: strides[i] })),
    );
    expect(make(mobilenetV2, { output_stride }).levels).toEqual(
      [24, 32, 96, 320].map((channels, i) => ({ channels, stride: strides[i] })),
    );
  });
});

describe("names of parameters", () => {
  it("are torchvision's, and the deep stem's indices those of PyTorch's Sequential", () => {
    const names = (backbone: Backbone) => [...backbone.namedParameters()].map(([name]) => name);
    const v1c = names(make(resnet, { depth: 18 }));
    expect(v1c.filter((name) => name.startsWith("stem") && name.endsWith(".weight"))).toEqual(
      [0, 1, 3, 4, 6, 7].map((i) => `stem.${i}.weight`),
    );
    const v1 = names(make(resnet, { depth: 18, stem: "v1" }));
    expect(v1.slice(0, 5)).toEqual([
      "conv1.weight",
      "bn1.weight",
      "bn1.bias",
      "bn1.running_mean",
      "bn1.running_var",
    ]);
    expect(v1).toContain("layer2.0.downsample.1.running_var");
    const mobile = names(make(mobilenetV2, {}));
    expect(mobile).toContain("features.0.1.weight");
    expect(mobile).toContain("features.1.conv.1.weight");
    expect(mobile).toContain("features.17.conv.3.running_mean");
    expect(new Set([...v1c, ...v1, ...mobile].filter((name) => name.includes("runner")))).toEqual(new Set());
  });
});

describe.each([
  ["resnet", resnet, { depth: 18, base_channels: 4 }, ["stem.", "layer1.", "layer2."]],
  ["mobilenet_v2", mobilenetV2, { width: 0.25 }, [0, 1, 2, 3, 4, 5, 6].map((i) => `features.${i}.`)],
] as const)("%s", (_, record, options, frozenNames) => {
  const image = () => tf.tensor4d(recipe("image", 2 * 32 * 48 * 3, -1, 1), [2, 32, 48, 3]);

  function train(more: Record<string, unknown>) {
    const context = newContext();
    const backbone = make(record, { ...options, ...more }, context);
    assignRecipe(backbone);
    context.training = true;
    const values = () =>
      new Map([...backbone.namedParameters()].map(([name, p]) => [name, [...p.variable.dataSync()]]));
    const before = values();
    const gradients = gradientsOf(backbone, () =>
      tf.addN(backbone.forward(image()).map((level) => tf.sum(tf.square(level)))),
    );
    const moved = [...values()].filter(([name, after]) => String(after) !== String(before.get(name)));
    return { gradients, moved: moved.map(([name]) => name), backbone };
  }

  it("freezes the stem and the stages below", () => {
    const isFrozen = (name: string) => frozenNames.some((prefix) => name.startsWith(prefix));
    const whole = train({});
    const part = train({ frozen_stages: 2 });
    const free = [...whole.gradients.keys()].filter((name) => !isFrozen(name));
    expect([...part.gradients.keys()]).toEqual(free);
    expect(part.moved).toEqual(whole.moved.filter((name) => !isFrozen(name)));
    expect(whole.moved.length).toBeGreaterThan(part.moved.length);
    expect(part.moved.length).toBeGreaterThan(0);
    for (const gradient of part.gradients.values()) {
      expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
    }
  });

  it("freezes the stem alone with 0 and everything with 4", () => {
    const stem = train({ frozen_stages: 0 });
    const frozen = [...stem.backbone.namedParameters()].filter(
      ([, p]) => !p.trainable && !p.role.startsWith("running"),
    );
    expect(
      new Set(
        frozen.map(([name]) =>
          name
            .split(".")
            .slice(0, name.startsWith("f") ? 2 : 1)
            .join("."),
        ),
      ),
    ).toEqual(new Set([frozenNames[0].replace(/\.$/, "")]));
    expect(trainedSize(make(record, { ...options, frozen_stages: 4 }))).toBe(0);
  });

  it("keeps running statistics with norm_eval and still trains everything", () => {
    const { gradients, moved, backbone } = train({ norm_eval: true });
    expect(moved).toEqual([]);
    expect(gradients.size).toBe(
      [...backbone.namedParameters()].filter(([, p]) => !p.role.startsWith("running")).length,
    );
  });

  it("leaves no tensors behind", () => {
    const backbone = make(record, options);
    materialise(backbone, 0);
    const x = image();
    const before = tf.memory().numTensors;
    tf.dispose(tf.tidy(() => backbone.forward(x)));
    expect(tf.memory().numTensors).toBe(before);
    backbone.dispose();
    x.dispose();
  });
});
