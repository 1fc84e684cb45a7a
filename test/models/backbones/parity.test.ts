import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import mobilenetV2, { type MobileNetV2 } from "../../../src/models/backbones/mobilenet_v2.ts";
import resnet from "../../../src/models/backbones/resnet.ts";
import { Bottleneck } from "../../../src/models/backbones/residual_blocks.ts";
import type { Backbone } from "../../../src/models/backbones/contracts.ts";
import { NetworkContext } from "../../../src/nn/context.ts";
import type { Layer } from "../../../src/nn/sequential.ts";
import { useEngine } from "../../helpers/engine.ts";
import {
  assignRecipe,
  expectGradients,
  expectMap,
  featureMap,
  fixturePath,
  gradientsOf,
  readFixture,
  recipe,
  relativeToLargest,
  stored,
  type Fixture,
} from "../../helpers/fixtures.ts";
import { withDefaults } from "./defaults.ts";

beforeAll(() => useEngine());

/** The backbone that a fixture was made with, filled from the recipe, and the images it saw. */
function open(name: string, more: Record<string, unknown> = {}) {
  const fixture = readFixture(fixturePath(`backbones/${name}.safetensors`));
  const record = name.startsWith("resnet") ? resnet : mobilenetV2;
  const options = { ...(JSON.parse(fixture.metadata.options!) as Record<string, unknown>), ...more };
  const context = new NetworkContext({ alignCorners: false });
  const backbone = record.create(withDefaults(record, options), { inChannels: 3 }, context);
  assignRecipe(backbone);
  const [height, width] = JSON.parse(fixture.metadata.image!) as [number, number];
  const shape = [2, 3, height, width];
  const images = featureMap({ shape, values: recipe("image", 6 * height * width, -1, 1) });
  return { fixture, backbone, context, images };
}

const cases = [
  "resnet18_v1_os8",
  "resnet18_v1c_os16",
  "resnet18_v1_os32",
  "resnet50_v1c_os8",
  "resnet50_v1_os16",
  "resnet50_v1c_os32_caffe",
  "resnet50_v1_os8_caffe",
  "mobilenet_v2_os8",
  "mobilenet_v2_os16",
  "mobilenet_v2_os32",
];

describe.each(cases)("%s against PyTorch", (name) => {
  it("evaluates the same levels", () => {
    const { fixture, backbone, images } = open(name);
    const levels = tf.tidy(() => backbone.forward(tf.slice(images, [0, 0, 0, 0], [1, -1, -1, -1])));
    expect(levels).toHaveLength(4);
    for (const [i, level] of levels.entries()) {
      expectMap(level, stored(fixture, `eval.${i}`), 1e-4, `level ${i}`);
      expect(level.shape[3]).toBe(backbone.levels[i]!.channels);
      expect(level.shape[1]).toBe(Math.ceil(images.shape[1] / backbone.levels[i]!.stride));
    }
  });

  it("gives the same levels and running statistics in training mode", () => {
    const { fixture, backbone, context, images } = open(name);
    context.training = true;
    const levels = tf.tidy(() => backbone.forward(images));
    for (const [i, level] of levels.entries())
      expectMap(level, stored(fixture, `train.${i}`), 1e-4, `level ${i}`);
    expectRunningStatistics(backbone, fixture);
  });
});

function expectRunningStatistics(backbone: Backbone, fixture: Fixture) {
  const running = [...backbone.namedParameters()].filter(([, { role }]) => role.startsWith("running"));
  expect(running).toHaveLength([...fixture.tensors.keys()].filter((key) => key.startsWith("after.")).length);
  for (const [name, parameter] of running) {
    const error = relativeToLargest(parameter.variable.dataSync(), stored(fixture, `after.${name}`).values);
    expect(error, name).toBeLessThan(1e-4);
  }
}

describe.each(["resnet18_v1_os8", "resnet18_v1c_os16"])("gradients of %s", (name) => {
  it.each([false, true])("agree with PyTorch's float64 (with_cp: %s)", (with_cp) => {
    const { fixture, backbone, context, images } = open(name, { with_cp });
    context.training = true;
    const gradients = gradientsOf(backbone, () => {
      const terms = backbone.forward(images).map((level, i) => {
        const [n, h, w, c] = level.shape;
        return tf.mean(
          tf.mul(level, featureMap({ shape: [n, c, h, w], values: recipe(`dy.${i}`, level.size, -1, 1) })),
        );
      });
      return tf.addN(terms) as tf.Scalar;
    });
    expectGradients(backbone, gradients, fixture);
    expectRunningStatistics(backbone, fixture);
  });
});

describe("gradients of a bottleneck", () => {
  const fixture = readFixture(fixturePath("backbones/bottlenecks.safetensors"));
  const errors = JSON.parse(fixture.metadata.cases!) as Record<string, unknown>;

  it.each([
    ["strided", { in: 8, stride: 2, dilation: 1, style: "pytorch" }],
    ["dilated", { in: 16, stride: 1, dilation: 2, style: "pytorch" }],
    ["caffe", { in: 8, stride: 2, dilation: 2, style: "caffe" }],
  ] as const)("%s", (name, options) => {
    const context = new NetworkContext({ alignCorners: false });
    context.training = true;
    const block = new Bottleneck(context, { ...options, planes: 4 });
    assignRecipe(block);
    const x = featureMap({
      shape: [2, options.in, 11, 14],
      values: recipe("x", 2 * options.in * 11 * 14, -1, 1),
    });
    const gradients = gradientsOf(block, () => {
      const y = block.forward(x);
      const [n, h, w, c] = y.shape;
      return tf.sum(tf.mul(y, featureMap({ shape: [n, c, h, w], values: recipe("dy", y.size, -1, 1) })));
    });
    const metadata = { float32_error: JSON.stringify(errors[name]) };
    expectGradients(block, gradients, { ...fixture, metadata }, { prefix: `${name}.grad.` });
  });
});

describe("gradients of an inverted residual block", () => {
  const fixture = readFixture(fixturePath("backbones/inverted_residuals.safetensors"));
  const cases = JSON.parse(fixture.metadata.cases!) as Record<
    string,
    { feature: number; output_stride: number; float32_error: Record<string, number> }
  >;

  it.each(Object.keys(cases))("%s", (name) => {
    const { feature, output_stride, float32_error } = cases[name]!;
    const context = new NetworkContext({ alignCorners: false });
    const options = withDefaults(mobilenetV2, { width: 0.05, output_stride });
    const { features } = mobilenetV2.create(options, { inChannels: 3 }, context) as MobileNetV2;
    const block = features[feature] as Exclude<(typeof features)[number], Layer[]>;
    context.training = true;
    assignRecipe(block);
    const x = featureMap({ shape: [2, 8, 11, 14], values: recipe("x", 2 * 8 * 11 * 14, -1, 1) });
    const gradients = gradientsOf(block, () => {
      const y = block.forward(x);
      const [n, h, w, c] = y.shape;
      return tf.sum(tf.mul(y, featureMap({ shape: [n, c, h, w], values: recipe("dy", y.size, -1, 1) })));
    });
    const metadata = { float32_error: JSON.stringify(float32_error) };
    expectGradients(block, gradients, { ...fixture, metadata }, { prefix: `${name}.grad.` });
  });
});
