import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, it } from "vitest";
import resnet from "../../../src/models/backbones/resnet.ts";
import { NetworkContext } from "../../../src/nn/context.ts";
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
  stored,
} from "../../helpers/fixtures.ts";
import { withDefaults } from "./defaults.ts";

beforeAll(() => useEngine("wasm"));

it("agrees with PyTorch on the portable engine as well, forward and backward", () => {
  const fixture = readFixture(fixturePath("backbones/resnet18_v1_os8.safetensors"));
  const options = JSON.parse(fixture.metadata.options!) as Record<string, unknown>;
  const context = new NetworkContext({ alignCorners: false });
  const backbone = resnet.create(withDefaults(resnet, options), { inChannels: 3 }, context);
  assignRecipe(backbone);
  context.training = true;
  const images = featureMap({ shape: [2, 3, 45, 62], values: recipe("image", 6 * 45 * 62, -1, 1) });
  const gradients = gradientsOf(backbone, () => {
    const levels = backbone.forward(images);
    for (const [i, level] of levels.entries()) expectMap(level, stored(fixture, `train.${i}`), 1e-4);
    const terms = levels.map((level, i) => {
      const [n, h, w, c] = level.shape;
      const dy = featureMap({ shape: [n, c, h, w], values: recipe(`dy.${i}`, level.size, -1, 1) });
      return tf.mean(tf.mul(level, dy));
    });
    return tf.addN(terms) as tf.Scalar;
  });
  expect(tf.getBackend()).toBe("wasm");
  expectGradients(backbone, gradients, fixture);
});
