import { existsSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useEngine } from "../../helpers/engine.ts";
import { HookRuns } from "../../helpers/hook_run.ts";

let runs: HookRuns;
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns();
});
afterAll(() => runs.remove());

interface Report {
  message: string;
  iteration: number;
  lr: number;
  batches: { ids: string[]; losses: Record<string, number | string> }[];
  parts: Record<string, Record<string, number | string>>;
  broken: string[];
}

describe("a diverging run", () => {
  it("with a learning rate of 1e6 stops at the next iteration and says where", async () => {
    const before = tf.memory().numTensors;
    const told = await runs.complaint(runs.start("exploding", ["optimizer.lr=1e6", "checkpoint.interval=1"]));
    expect(told.replaceAll(/\d\.\d+e\+\d/g, "#")).toMatchInlineSnapshot(`
      "SEGFUSE_LOSS_DIVERGED: the loss of iteration 2 is larger than 10000
        at: samples 7, 1
        found: decode.loss_ce #, aux.loss_ce #, loss #; largest weight # in head.classifier.weight
        try: a lower optimizer.lr, schedule.warmup or optimizer.clip_norm, or another max_loss of the hook finite_guard; FOLDER/exploding/diverged/report.json says more, FOLDER/exploding/diverged/checkpoints/iter_1 is the state before"
    `);
    const report = runs.json<Report>("exploding/diverged/report.json");
    expect(report).toMatchObject({ message: "the loss of iteration 2 is larger than 10000", iteration: 2 });
    expect(report.lr).toBeCloseTo(1e6 * (1 - 1 / 6) ** 0.9, 0);
    expect(report.batches.map(({ ids }) => ids)).toEqual([["7", "1"]]);
    expect(Object.keys(report.parts).join(" ")).toMatchInlineSnapshot(
      `"backbone.conv1 backbone.bn1 backbone.layer1 backbone.layer2 backbone.layer3 backbone.layer4 neck.reduce neck.refine head.context head.classifier auxiliary_head.convs auxiliary_head.classifier"`,
    );
    expect(report.parts["head.classifier"]).toMatchObject({ gradient_not_finite: 0, weight_not_finite: 0 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it("leaves the state before the update, running statistics included", () => {
    // The run stored the same moment itself, before the forward pass that failed.
    for (const file of ["model.safetensors", "optimizer.safetensors"]) {
      const aside = runs.bytes("exploding/diverged/checkpoints/iter_1", file);
      expect(aside.equals(runs.bytes("exploding/checkpoints/iter_1", file)), file).toBe(true);
    }
  });

  it("can go on from there with other options", async () => {
    const options = ["optimizer.lr=1e-9", "hooks=[{type: finite_guard, max_loss: null}]"];
    const { checkpoint } = await runs.start("again", options, {
      resumeFrom: runs.tiny.path("exploding/diverged"),
      allowChange: ["optimizer.*"],
    });
    expect(checkpoint).toBe(runs.tiny.path("again/checkpoints/iter_6"));
  });

  it("stops where the loss is no number any more", async () => {
    const told = await runs.complaint(runs.start("nan", ["optimizer.lr=1e30"]));
    expect(told.replaceAll(/\d\.\d+e\+/g, "#e+")).toMatchInlineSnapshot(`
      "SEGFUSE_LOSS_NOT_FINITE: the loss of iteration 2 is not finite
        at: samples 7, 1
        found: decode.loss_ce NaN, aux.loss_ce NaN, loss NaN; largest weight #e+29 in head.classifier.weight; gradients not finite in backbone, neck, head, auxiliary_head, from auxiliary_head.classifier.bias on
        try: a lower optimizer.lr, schedule.warmup or optimizer.clip_norm; FOLDER/nan/diverged/report.json says more, FOLDER/nan/diverged/checkpoints/iter_1 is the state before"
    `);
    expect(runs.log("nan").map(({ event }) => event)).toEqual(["start"]);
    const { batches, broken } = runs.json<Report>("nan/diverged/report.json");
    expect(batches[0]!.losses).toEqual({ "decode.loss_ce": "NaN", "aux.loss_ce": "NaN", loss: "NaN" });
    expect(broken).toContain("backbone.conv1.weight");
  });

  it("stops where a gradient is no number, before its first update", async () => {
    writeFileSync(
      runs.tiny.path("root.mjs"),
      `const schema = { type: "object", properties: {}, required: [] };
       // 0 for all logits, and a slope of 0/0 for those of the first class
       const forward = (logits) => logits.slice([0, 0, 0, 0], [-1, -1, -1, 1]).mul(0).sqrt().sum();
       const create = () => ({ name: "loss_root", forward });
       export default { kind: "loss", type: "root", description: "a root", schema, create };`,
    );
    const set = [
      `plugins=[${runs.tiny.path("root.mjs")}]`,
      "model.head.losses=[{type: cross_entropy}, {type: root}]",
      "optimizer.accumulate=2",
    ];
    const told = await runs.complaint(runs.start("gradient", set));
    expect(told.replaceAll(/\d\.\d+/g, "#")).toMatchInlineSnapshot(`
      "SEGFUSE_LOSS_NOT_FINITE: the gradients of iteration 1 are not finite
        at: samples 3, 6, 7, 1
        found: decode.loss_ce #, decode.loss_root 0, aux.loss_ce #, loss #; decode.loss_ce #, decode.loss_root 0, aux.loss_ce #, loss #; largest weight # in head.context.stages.0.conv.weight; gradients not finite in backbone, neck, head, from head.classifier.bias on
        try: a lower optimizer.lr, schedule.warmup or optimizer.clip_norm; FOLDER/gradient/diverged/report.json says more, FOLDER/gradient/diverged/checkpoints/iter_0 is the state before"
    `);
    const { parts, batches } = runs.json<Report>("gradient/diverged/report.json");
    expect(batches.map(({ ids }) => ids.length)).toEqual([2, 2]);
    expect(parts["head.classifier"]!.gradient_not_finite).toBeGreaterThan(0);
    // the auxiliary head has a loss of its own
    expect(parts["auxiliary_head.classifier"]!.gradient_not_finite).toBe(0);
    expect(existsSync(runs.tiny.path("gradient/run.jsonl"))).toBe(false);
    expect(existsSync(runs.tiny.path("gradient/diverged/checkpoints/iter_0/model.safetensors"))).toBe(true);
  });
});
