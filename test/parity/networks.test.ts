import * as tf from "@tensorflow/tfjs";
import { readdirSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { useEngine } from "../helpers/engine.ts";
import { assignRecipe, fixturePath, readFixture } from "../helpers/fixtures.ts";
import { compare } from "./compare.ts";
import { quantities, readReference, sizesOf, type Job } from "./job.ts";
import { measure, networkOf } from "./measure.ts";

// Whole networks against PyTorch (test/fixtures/make_networks.py): every neck with every head that takes it, on
// every kind of backbone.

const names = readdirSync(fixturePath("networks")).map((file) => file.replace(".safetensors", ""));

beforeAll(() => useEngine());

describe("networks against PyTorch", () => {
  it("cover every neck and head, backbone, stride, style and align_corners", () => {
    const jobs = names.map(
      (name) => JSON.parse(readFixture(fixturePath(`networks/${name}.safetensors`)).metadata.job!) as Job,
    );
    const seen = new Set(
      jobs.flatMap(({ model: { neck, head, backbone, align_corners, norm } }) => {
        const { type, depth, stem, output_stride, style } = backbone as Record<string, unknown> & {
          type: string;
        };
        return [
          `${neck.type} ${head.type}`,
          `align_corners ${align_corners}`,
          type === "resnet"
            ? `resnet${String(depth)} ${String(stem)} ${String(output_stride)}`
            : `${type} ${String(output_stride)}`,
          `norm ${norm ?? "batch"}`,
          ...(type === "resnet" ? [`resnet${String(depth)} ${String(style)}`] : []),
        ];
      }),
    );
    const both = ["fpn", "gated_fpn", "gff"];
    const expected = [
      ...["none", "concat", "addition", ...both].map((neck) => `${neck} ppm`),
      ...both.map((neck) => `${neck} dfp`),
      ...[18, 50].flatMap((depth) =>
        ["v1", "v1c"].flatMap((stem) => [8, 16, 32].map((stride) => `resnet${depth} ${stem} ${stride}`)),
      ),
      "resnet50 caffe",
      ...[8, 16, 32].map((stride) => `mobilenet_v2 ${stride}`),
      "norm group",
      "norm layer",
      "align_corners true",
      "align_corners false",
    ];
    expect(expected.filter((combination) => !seen.has(combination))).toEqual([]);
  });

  it.each(names)("%s: logits, losses, gradients, statistics and five updates", async (name) => {
    const fixture = readFixture(fixturePath(`networks/${name}.safetensors`));
    const job = JSON.parse(fixture.metadata.job!) as Job;
    const reference = readReference(fixture, sizesOf(networkOf(job, { normEval: false }), fixture));
    const before = tf.memory().numTensors;
    const measured = await measure(job, assignRecipe);
    expect(tf.memory().numTensors).toBe(before);

    const verdicts = compare(reference, measured);
    const has = quantities.filter(
      (quantity) => job.model.norm === undefined || !["running", "updates.running"].includes(quantity),
    );
    expect(verdicts.map(({ quantity }) => quantity)).toEqual(has);
    expect(verdicts.filter(({ passes }) => !passes)).toEqual([]);
  });
});
