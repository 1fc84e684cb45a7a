import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import mobilenetV2 from "../../src/models/backbones/mobilenet_v2.ts";
import resnet from "../../src/models/backbones/resnet.ts";
import { Conv2d, DepthwiseConv2d, materialise, Module, NetworkContext } from "../../src/nn/index.ts";
import { fileShape, toFileOrder, toMemoryOrder } from "../../src/weights/layout.ts";
import { describeLoad, loadWeights, storedTensors } from "../../src/weights/load.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { sharedData } from "../helpers/data.ts";
import { useEngine } from "../helpers/engine.ts";

const weights = sharedData("weights");
let folder: string;
beforeAll(async () => {
  await useEngine();
  folder = mkdtempSync(join(tmpdir(), "segfuse-load-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("layout", () => {
  /** Every value says where it stands in the file. */
  const numbered = (size: number) => Float32Array.from({ length: size }, (_, i) => i);

  it("takes convolutions from OIHW to HWIO and back", () => {
    const memoryShape = [2, 3, 4, 5]; // kh, kw, in, out
    expect(fileShape("conv", memoryShape)).toEqual([5, 4, 2, 3]);
    const memory = toMemoryOrder("conv", memoryShape, numbered(120));
    const expected = tf.tidy(() =>
      tf.transpose(tf.range(0, 120).reshape([5, 4, 2, 3]), [2, 3, 1, 0]).dataSync(),
    );
    expect(memory).toEqual(Float32Array.from(expected));
    expect(toFileOrder("conv", memoryShape, memory)).toEqual(numbered(120));
  });

  it("takes channel c·m + j of a depthwise kernel to [·, ·, c, j] and back", () => {
    const memoryShape = [2, 3, 4, 5]; // kh, kw, C, m
    expect(fileShape("depthwise", memoryShape)).toEqual([20, 1, 2, 3]);
    const memory = toMemoryOrder("depthwise", memoryShape, numbered(120));
    for (let [y, x, c, j] = [1, 2, 3, 4]; c >= 0; c--) {
      expect(memory[((y * 3 + x) * 4 + c) * 5 + j]).toBe((c * 5 + j) * 6 + y * 3 + x);
    }
    expect(toFileOrder("depthwise", memoryShape, memory)).toEqual(numbered(120));
  });
});

class Pair extends Module {
  readonly conv = new Conv2d({ in: 2, out: 3, kernel: 3, bias: true });
  readonly classifier: Conv2d;

  constructor(out: number) {
    super();
    this.classifier = new Conv2d({ in: 3, out, kernel: 1, bias: true });
  }
}

describe("loadWeights", () => {
  let file: string;
  beforeAll(async () => {
    const source = new Pair(4);
    materialise(source, 1);
    const tensors = await storedTensors(source.namedParameters());
    tensors.set("bn.num_batches_tracked", { shape: [], data: Int32Array.of(7) });
    tensors.set("other", { shape: [1], data: Float32Array.of(7) });
    file = join(folder, "pair.safetensors");
    await writeSafetensors(file, tensors);
    source.dispose();
  });

  it("gives every parameter its value, materialised before or not", async () => {
    const [fresh, made] = [new Pair(4), new Pair(4)];
    materialise(made, 2);
    for (const module of [fresh, made]) {
      const report = await loadWeights(module, file, { complete: true });
      expect(report).toMatchObject({ fresh: [], unused: ["other"] });
      const stored = await storedTensors(module.namedParameters());
      const { tensors } = await readSafetensors(file);
      for (const [name, tensor] of stored) expect(tensor, name).toEqual(tensors.get(name));
    }
    fresh.dispose();
    made.dispose();
  });

  it("takes another shape for an error and changes nothing, unless it may stay fresh", async () => {
    const module = new Pair(5);
    await expect(loadWeights(module, file)).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_CLASSES",
      details: { expected: "5 classes, as the network has", found: "4" },
    });
    expect([...module.namedParameters()].some(([, parameter]) => parameter.isMaterialised)).toBe(false);
    const report = await loadWeights(module, file, { allowFresh: ["*.weight", "classifier.*"] });
    expect(report.loaded).toEqual(["conv.weight", "conv.bias"]);
    expect(report.fresh).toEqual(["classifier.weight", "classifier.bias"]);
    expect(describeLoad({ ...report, file: "pair.safetensors" })).toMatchInlineSnapshot(
      `"weights from pair.safetensors: 2 loaded, 2 fresh (classifier.weight, classifier.bias), 1 unused (other)"`,
    );
    module.dispose();
  });

  it("refuses integers where weights are due, names them and changes nothing", async () => {
    const module = new Pair(4);
    const { tensors } = await readSafetensors(file);
    const changed = new Map(tensors);
    const { shape } = tensors.get("conv.bias")!;
    changed.set("conv.bias", { shape, data: Int32Array.of(1, 2, 3) });
    const path = join(folder, "integers.safetensors");
    await writeSafetensors(path, changed);
    await expect(loadWeights(module, path)).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_DTYPE",
      details: { where: path, expected: "F32, F16, BF16 or F64", found: "conv.bias is I32" },
    });
    expect([...module.namedParameters()].some(([, parameter]) => parameter.isMaterialised)).toBe(false);
    module.dispose();
  });

  it("names depthwise kernels' channels as PyTorch's groups do", async () => {
    const module = new DepthwiseConv2d({ channels: 3, kernel: 3 });
    materialise(module, 0);
    const stored = await storedTensors(module.namedParameters());
    expect(stored.get("weight")!.shape).toEqual([3, 1, 3, 3]);
    module.dispose();
  });
});

describe.skipIf(weights === null)("pretrained backbones", () => {
  const context = new NetworkContext({ alignCorners: false });
  const common = { output_stride: 8, frozen_stages: -1, norm_eval: false, with_cp: false, pretrained: null };

  async function load(name: string, backbone: Module): Promise<string> {
    const report = await loadWeights(backbone, join(weights!, name), { prefix: "backbone" });
    backbone.dispose();
    return describeLoad({ ...report, file: name });
  }

  it("say what a partial file leaves fresh, and what is of no use", async () => {
    const make = (options: object) =>
      resnet.create(
        { ...common, stem: "v1", style: "pytorch", base_channels: 64, ...options },
        { inChannels: 3 },
        context,
      );
    const told = [
      await load("resnet18_torchvision_imagenet_partial.safetensors", make({ depth: 18 })),
      await load("resnet50_caffe_imagenet_partial.safetensors", make({ depth: 50, style: "caffe" })),
      await load(
        "mobilenetv2_std_imagenet_features.safetensors",
        mobilenetV2.create({ ...common, width: 1 }, { inChannels: 3 }, context),
      ),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "weights from resnet18_torchvision_imagenet_partial.safetensors: 80 loaded, 20 fresh (backbone.layer4.0.conv1, backbone.layer4.0.bn1, backbone.layer4.0.conv2, backbone.layer4.0.bn2, backbone.layer4.1.conv1, backbone.layer4.1.bn1, … (8 in all)), 0 unused
      weights from resnet50_caffe_imagenet_partial.safetensors: 220 loaded, 45 fresh (backbone.layer4.0.conv2, backbone.layer4.0.bn2, backbone.layer4.0.conv3, backbone.layer4.0.bn3, backbone.layer4.0.downsample.0, backbone.layer4.0.downsample.1, … (18 in all)), 1 unused (conv1.weight_bgr255)
      weights from mobilenetv2_std_imagenet_features.safetensors: 255 loaded, 0 fresh, 5 unused (features.18.0.weight, features.18.1.weight, features.18.1.bias, features.18.1.running_mean, features.18.1.running_var)"
    `);
  });
});
