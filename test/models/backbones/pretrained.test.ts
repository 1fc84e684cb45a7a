import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import mobilenetV2 from "../../../src/models/backbones/mobilenet_v2.ts";
import resnet from "../../../src/models/backbones/resnet.ts";
import type { BackboneRecord } from "../../../src/models/backbones/contracts.ts";
import { NetworkContext } from "../../../src/nn/context.ts";
import { materialise } from "../../../src/nn/materialise.ts";
import { loadWeights } from "../../../src/weights/load.ts";
import { sharedData } from "../../helpers/data.ts";
import { useEngine } from "../../helpers/engine.ts";
import { expectMap, featureMap, readFixture, stored } from "../../helpers/fixtures.ts";
import { withDefaults } from "./defaults.ts";

const folder = sharedData("weights");

beforeAll(() => useEngine());

interface Case {
  record: BackboneRecord;
  options: Record<string, unknown>;
  weights: string;
  outputs: string;
  /** The stored outputs of levels 0, 1, … */
  levels: string[];
  /** Parameters that the partial file does not have, all in the last stage. */
  absent: number;
}

const layers = ["layer1", "layer2", "layer3"];
const cases: Record<string, Case> = {
  mobilenet_v2: {
    record: mobilenetV2,
    options: { output_stride: 32 },
    weights: "mobilenetv2_std_imagenet_features.safetensors",
    outputs: "mobilenetv2_std_os32.safetensors",
    levels: ["features.3", "features.6", "features.13", "features.17"],
    absent: 0,
  },
  resnet18: {
    record: resnet,
    options: { depth: 18, stem: "v1", output_stride: 32 },
    weights: "resnet18_torchvision_imagenet_partial.safetensors",
    outputs: "resnet18_os32_layers123.safetensors",
    levels: layers,
    absent: 4 * 5,
  },
  "resnet50 (caffe)": {
    record: resnet,
    options: { depth: 50, stem: "v1", style: "caffe", output_stride: 32 },
    weights: "resnet50_caffe_imagenet_partial.safetensors",
    outputs: "resnet50caffe_os32_pad1pool_layers123.safetensors",
    levels: layers,
    absent: 9 * 5,
  },
};

describe.skipIf(folder === null).each(Object.entries(cases))("ImageNet weights of %s", (_, example) => {
  it("give the layer outputs that an independent PyTorch graph gives", async () => {
    const outputs = readFixture(join(folder!, "fixtures", example.outputs));
    const context = new NetworkContext({ alignCorners: false });
    const backbone = example.record.create(
      withDefaults(example.record, example.options),
      { inChannels: 3 },
      context,
    );
    const { fresh } = await loadWeights(backbone, join(folder!, example.weights), { prefix: "backbone" });
    expect(fresh).toHaveLength(example.absent);
    // No stored output depends on what a partial file leaves fresh.
    expect(fresh.every((name) => name.startsWith("backbone.layer4."))).toBe(true);
    materialise(backbone, 0);
    const levels = tf.tidy(() => backbone.forward(featureMap(stored(outputs, "input"))));
    for (const [i, name] of example.levels.entries())
      expectMap(levels[i]!, stored(outputs, name), 1e-3, name);
    backbone.dispose();
  });
});
