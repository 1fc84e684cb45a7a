import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { traceSegmentor } from "../../src/cost/index.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import { materialise } from "../../src/nn/materialise.ts";
import { useEngine } from "../helpers/engine.ts";
import { componentsWith, resolvedModel } from "../helpers/network.ts";

const components = componentsWith();

function smallNetwork() {
  const model = resolvedModel(components, {
    backbone: { type: "resnet", depth: 18, base_channels: 4 },
    neck: { type: "gff", channels: 4 },
    head: { type: "ppm", context: { type: "ppm", channels: 4 } },
    auxiliary_head: { type: "fcn", channels: 4 },
  });
  return buildSegmentor(model, { numClasses: 3, ignoreIndex: 255 }, components);
}

describe("traceSegmentor", () => {
  it("records operations with modules, parts, shapes and where their inputs come from", () => {
    const { nodes } = traceSegmentor(smallNetwork(), { height: 33, width: 65 });
    expect(nodes[0]).toEqual({
      id: 0,
      op: "Conv2D",
      path: "backbone.stem.0",
      part: "backbone",
      backward: false,
      attributes: {
        strides: 2,
        pad: [
          [0, 0],
          [1, 1],
          [1, 1],
          [0, 0],
        ],
        dataFormat: "NHWC",
        dilations: 1,
      },
      inputs: [
        { shape: [1, 33, 65, 3], dtype: "float32", source: { kind: "input", name: "images" } },
        {
          shape: [3, 3, 3, 2],
          dtype: "float32",
          source: { kind: "parameter", name: "backbone.stem.0.weight" },
        },
      ],
      outputs: [{ shape: [1, 17, 33, 2], dtype: "float32" }],
    });
    expect(nodes[1]).toMatchObject({ op: "FusedBatchNorm", path: "backbone.stem.1" });
    expect(nodes[1]!.inputs[0]!.source).toEqual({ kind: "node", node: 0, output: 0 });
    expect(nodes.at(-1)).toMatchObject({ op: "ResizeBilinear", path: "", part: "head" });
    expect(nodes.at(-1)!.outputs).toEqual([{ shape: [1, 33, 65, 3], dtype: "float32" }]);
    expect(new Set(nodes.map(({ part }) => part))).toEqual(
      new Set(["backbone", "head.context", "neck", "head"]),
    );
    for (const { id, inputs } of nodes)
      for (const { source } of inputs) if (source.kind === "node") expect(source.node).toBeLessThan(id);
  });

  it("needs no engine and leaves none", () => {
    // Nothing in this file has opened an engine so far.
    expect(tf.getBackend() ?? null).toBeNull();
    traceSegmentor(smallNetwork(), { height: 32, width: 32, batch: 2, training: true });
    expect(tf.getBackend() ?? null).toBeNull();
  });

  it("leaves the active engine, weights, running statistics, mode and tensors as they were", async () => {
    await useEngine();
    const network = smallNetwork();
    materialise(network, 1);
    const image = tf.zeros<tf.Rank.R4>([1, 32, 32, 3]);
    const before = network.forward(image).dataSync().slice();
    network.context.training = true;
    const tensors = tf.memory().numTensors;
    const { nodes } = traceSegmentor(network, { height: 32, width: 32, batch: 2, training: true });
    expect(nodes.some(({ op }) => op === "Conv2DBackpropFilter")).toBe(true);
    expect(tf.getBackend()).toBe("tensorflow");
    expect(tf.memory().numTensors).toBe(tensors);
    expect(network.context).toMatchObject({ training: true, literal: false });
    network.context.training = false;
    expect(network.forward(image).dataSync()).toEqual(before);
    network.dispose();
  });
});
