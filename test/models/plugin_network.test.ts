import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { softmaxCrossEntropy } from "../../src/engine/ops/index.ts";
import { networkFor } from "../../src/runners/network.ts";
import { materialise } from "../../src/nn/materialise.ts";
import { resizeLike } from "../../src/nn/resize.ts";
import { gradientsOf as trainedGradients } from "../../src/training/gradients.ts";
import { trainableParameters } from "../../src/training/initial_weights.ts";
import { numberedClasses } from "../../src/runners/classes.ts";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { segfuse } from "../helpers/cli.ts";
import { useEngine } from "../helpers/engine.ts";
import { recipe } from "../helpers/fixtures.ts";
import { TinyRun } from "../helpers/tiny_run.ts";
import aspp from "./plugin/aspp_context.ts";
import detail from "./plugin/detail_head.ts";
import presence from "./plugin/presence_loss.ts";
import transformer from "./plugin/tiny_transformer.ts";

// Parts that the paper does not have, each a plug-in of some 60 lines: a context under GFF, a head that sees X1 and has
// two outputs more in training, a transformer for a backbone.

const run = new TinyRun();
afterAll(() => run.remove());
mkdirSync(run.path("plugin"));
for (const name of ["aspp_context", "detail_head", "presence_loss", "tiny_transformer"])
  cpSync(fileURLToPath(new URL(`plugin/${name}.ts`, import.meta.url)), run.path(`plugin/${name}.ts`));

const model = `
  backbone: {type: tiny_transformer, channels: 8}
  neck: {type: gff, channels: 8, refine_convs: 1}
  head: {type: detail, context: {channels: 8, dilations: [2]}, detail: 6}
  auxiliary_head: null`;
const base = readFileSync(run.config, "utf8").replace(/ {2}backbone[\s\S]*?(?=\ndata:)/, model.slice(1));

describe("a network of plug-ins", () => {
  const config = run.path("plugins.yaml");
  const list = ["aspp_context", "detail_head", "presence_loss", "tiny_transformer"];
  writeFileSync(config, `plugins: [${list.map((name) => `./plugin/${name}.ts`).join(", ")}]\n${base}`);
  const two = ["--set", "schedule.iterations=2", "--set", "log.interval=1"];
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await segfuse(args);
    expect(code, stderr).toBe(0);
    return stdout;
  };

  it("trains, is evaluated, converted, counted and drawn", async () => {
    const work = run.path("run");
    await ok("train", config, "--work-dir", work, ...two);
    const records = readFileSync(join(work, "run.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, number | string>);
    const parts = ["decode.loss_ce", "decode.low.loss_ce", "decode.presence.loss_presence"];
    const updates = records.filter(({ event }) => event === "train");
    expect(updates.length).toBe(2);
    for (const update of updates)
      expect(parts.reduce((sum, part) => sum + Number(update[part]), 0)).toBeCloseTo(Number(update.loss), 5);

    const report = JSON.parse(await ok("test", config, work, "--json")) as { metrics: { mIoU: number } };
    expect(report.metrics.mIoU).toBeGreaterThan(0);

    const to = run.path("theirs.safetensors");
    await ok("convert", join(work, "checkpoints/iter_2/model.safetensors"), to);
    const file = await readSafetensors(to);
    const shapes = (names: string[]) => names.map((name) => file.tensors.get(name)?.shape);
    // Linear layers are [out, in]; the context's weights are the head's.
    expect(
      shapes([
        "backbone.stages.0.mlp.0.weight",
        "backbone.stages.1.attn.in_proj_weight",
        "backbone.stages.0.pos_embed.weight",
        "head.context.branches.1.conv.weight",
        "head.low.weight",
      ]),
    ).toEqual([
      [32, 8],
      [24, 8],
      [1, 16, 8],
      [8, 8, 3, 3],
      [3, 6, 1, 1],
    ]);
    expect(await ok("cost", config)).toMatchInlineSnapshot(`
      "tiny, one image of 512×512 (height × width)

      Part         | Parameters |    mac | Activations
      -------------+------------+--------+------------
      backbone     |      2,656 | 0.01 G |  2201.8 MiB
      head.context |        960 | 0.00 G |     1.5 MiB
      neck         |      1,362 | 0.01 G |     5.2 MiB
      head         |        174 | 0.00 G |    12.0 MiB
      total        |      5,152 | 0.03 G |  2220.6 MiB

      mac: multiply-adds of convolutions.
      Matrix products: 4.58 G multiply-adds, not counted above.
      Activations: what a training step keeps of one image for its gradients.
      Inference on one image holds 4378.6 MiB at most beside 0.0 MiB of weights.
      "
    `);
    const graph = await ok("graph", config);
    const drawn = [...graph.matchAll(/class="name"[^>]*>([^<]+)/g)].map(([, name]) => name);
    expect(drawn).toEqual(
      expect.arrayContaining([
        "backbone.stages",
        "head.context",
        "neck.gates.1",
        "head.low",
        "head.classifier",
      ]),
    );
  });
});

describe("a head's further outputs", () => {
  beforeAll(() => useEngine());
  for (const record of [aspp, detail, presence, transformer]) run.registry.register(record, "a plug-in");

  it("are maps or vectors, as their losses must be", async () => {
    writeFileSync(run.config, base);
    const set = "model.head.presence_losses=[{type: cross_entropy}]";
    const { config } = await run.load(set);
    expect(() => networkFor(config, numberedClasses(3), run.registry)).toThrow(
      expect.objectContaining({
        code: "SEGFUSE_COMPONENT_OPTIONS",
        message: "the loss 'cross_entropy' does not fit its output",
      }),
    );
  });

  it("have the losses that their own logits have, and send gradients back", async () => {
    writeFileSync(run.config, base);
    const { config } = await run.load();
    const network = networkFor(config, numberedClasses(3), run.registry);
    materialise(network, 0);
    const images = tf.tensor4d(recipe("images", 2 * 32 * 32 * 3, -1, 1), [2, 32, 32, 3]);
    const labels = tf.tensor3d(recipe("labels", 2 * 32 * 32, 0, 3).map(Math.floor), [2, 32, 32], "int32");
    const { parts } = network.loss(images, labels);

    const { logits, supervised } = network.forwardTraining(images);
    const ce = (map: tf.Tensor4D) =>
      softmaxCrossEntropy(map, labels, { ignoreIndex: 255, avgNonIgnore: true }).dataSync()[0]!;
    expect(supervised["low"]!.shape).toEqual([2, 32, 32, 3]);
    expect(parts["decode.loss_ce"]!.dataSync()[0]).toBeCloseTo(ce(logits), 5);
    expect(parts["decode.low.loss_ce"]!.dataSync()[0]).toBeCloseTo(
      0.4 * ce(supervised["low"] as tf.Tensor4D),
      5,
    );
    expect(resizeLike(network.logits(images), images, network.context).dataSync()).toEqual(logits.dataSync());

    // At inference they are not computed; their weights have a gradient in training.
    const before = [...network.logits(images).dataSync()];
    const low = new Map(network.namedParameters()).get("head.low.weight")!;
    low.variable.assign(tf.add(low.variable, 1));
    expect([...network.logits(images).dataSync()]).toEqual(before);
    const loss = () => network.loss(images, labels).total;
    const { gradients } = trainedGradients(trainableParameters(network), loss);
    expect(Object.keys(gradients)).toContain("head.low.weight");
  });
});
