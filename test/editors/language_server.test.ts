import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig, loadStudy } from "../../src/api/configs.ts";
import { ConfigError } from "../../src/config/complaint.ts";
import { Files } from "../config/files.ts";
import { LanguageServer } from "./language_server.ts";

// What an editor with yaml-language-server shows of our files, by the server itself.

const configs = fileURLToPath(new URL("../../configs/", import.meta.url));
const shipped = readdirSync(configs, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .sort();

let server: LanguageServer;
beforeAll(async () => (server = await LanguageServer.start()));
afterAll(() => server.stop());

it.each(shipped)("nothing is wrong with configs/%s", async (name) => {
  const text = readFileSync(configs + name, "utf8");
  expect(text).toMatch(/^# yaml-language-server: \$schema=\S+\n/);
  expect(await server.open(configs + name, text)).toEqual([]);
});

const bad = `# yaml-language-server: $schema=SCHEMA
seeds: 1
engine: {type: gpu}
model:
  backbone: {type: resnet, depth: 20}
  neck: {type: gff, chanels: 128, channels: wide}
  head: {type: pmp}
  auxiliary_head: [{type: fcn, losses: [{type: ohem}]}]
data:
  dataset: {type: synthetic_streets}
  batch_size: 0
  crop_size: [64]
  train: {transforms: [{probability: 0.5}]}
optimizer: {type: sgd, lr: -0.1, nesterof: true}
schedule: {type: poly, iterations: 10.5}
evaluation: {metrics: [mIoU, mIuo], flip: 3}
`;

describe("complaints", () => {
  it("are those of segfuse, at the same lines", async () => {
    const text = bad.replace("SCHEMA", `${configs}schema/config.json`);
    const shown = await server.open(`${configs}table1/bad.yaml`, text);
    expect(shown.map(({ line, message }) => `${line}: ${message}`).join("\n")).toMatchInlineSnapshot(`
      "2: Property seeds is not allowed.
      3: Value is not accepted. Valid values: "auto", "tensorflow", "wasm", "cpu".
      5: Value is not accepted. Valid values: 18, 34, 50, 101, 152.
      6: an integer ≥ 1 and ≤ 65536 is expected
      6: Property chanels is not allowed.
      7: Value is not accepted. Valid values: "ppm", "dfp".
      8: Value is not accepted. Valid values: "cross_entropy", "ohem_cross_entropy", "dice", "focal", "lovasz_softmax".
      11: Value is below the minimum of 1.
      12: Array has too few items. Expected 2 or more.
      13: Missing property "type".
      14: Value is below the exclusive minimum of 0.
      14: Property nesterof is not allowed.
      15: an integer ≥ 1 and ≤ 1000000000 is expected
      16: true or false is expected
      16: Value is not accepted. Valid values: "mIoU", "mAcc", "aAcc", "fwIoU", "mDice", "mFscore", "mPrecision", "mRecall", "kappa", "mBIoU"."
    `);
    const files = new Files({ "bad.yaml": text });
    const complaints = await loadConfig(`${files.root}/bad.yaml`).catch((error: unknown) => error);
    expect(complaints).toBeInstanceOf(ConfigError);
    const lines = (complaints as ConfigError).complaints.map(({ origin }) => origin?.line);
    expect([...new Set(shown.map(({ line }) => line))]).toEqual([...new Set(lines)]);
  });

  it("in studies and overlays, whose parts of configs count", async () => {
    const study = `# yaml-language-server: $schema=../schema/study.json
title: T
metrics: mIoU
rows:
  - {name: a, config: a.yaml, inti_from: b}
  - {config: b.yaml, paper: {mIoU: high}}
`;
    const overlay = `# yaml-language-server: $schema=../schema/overlay.json
config:
  model: {neck: {chanels: 3}}
rows:
  gff: {data: {batch_size: many}}
`;
    const shown = [
      ...(await server.open(`${configs}studies/bad.yaml`, study)),
      ...(await server.open(`${configs}overlays/bad.yaml`, overlay)),
    ];
    expect(shown.map(({ line, message }) => `${line}: ${message}`).join("\n")).toMatchInlineSnapshot(`
      "3: Property metrics is not allowed.
      5: Property inti_from is not allowed.
      6: Missing property "name".
      6: Incorrect type. Expected "number".
      3: Property chanels is not allowed.
      5: an integer ≥ 1 and ≤ 65536 is expected"
    `);
    const files = new Files({ "bad.yaml": study });
    await expect(loadStudy(`${files.root}/bad.yaml`)).rejects.toBeInstanceOf(ConfigError);
  });

  it("are none of numbers and switches that come from the environment", async () => {
    const text = `# yaml-language-server: $schema=../schema/config.json
seed: "\${env:SEED:-3}"
data: {batch_size: "\${env:BATCH}"}
evaluation: {flip: "\${env:FLIP:-true}"}
`;
    expect(await server.open(`${configs}table1/environment.yaml`, text)).toEqual([]);
  });
});

/** Opens a config in whose text `|` stands where the cursor is. */
async function at(marked: string, schema = "config") {
  const text = `# yaml-language-server: $schema=../schema/${schema}.json\n${marked}`;
  const before = text.slice(0, text.indexOf("|")).split("\n");
  const path = `${configs}table1/at.${counter++}.yaml`;
  await server.open(path, text.replace("|", ""));
  return { path, position: { line: before.length - 1, character: before.at(-1)!.length } };
}
let counter = 0;

async function offered(marked: string, schema?: string): Promise<string[]> {
  const { path, position } = await at(marked, schema);
  return (await server.complete(path, position)).map(({ label }) => label);
}

describe("completion", () => {
  it("offers a file's keys", async () => {
    const keys = await offered("name: a\n|");
    expect(keys).toEqual(expect.arrayContaining(["_base_", "model", "data", "optimizer", "hooks"]));
    expect(keys).not.toContain("name");
  });

  it("offers the types of a kind, with what they are", async () => {
    const { path, position } = await at("model:\n  neck:\n    type: |\n");
    const items = await server.complete(path, position);
    expect(items.map(({ label }) => label).sort()).toEqual([
      "addition",
      "concat",
      "fpn",
      "gated_fpn",
      "gff",
      "none",
    ]);
    expect(items.find(({ label }) => label === "gff")!.documentation).toContain("gated fully fusion");
  });

  it("offers the options of the type, and no other's", async () => {
    const gff = await offered("model:\n  neck:\n    type: gff\n    |\n");
    expect(gff.sort()).toMatchInlineSnapshot(`
      [
        "_delete_",
        "channels",
        "gate_channels",
        "gate_input",
        "refine_convs",
      ]
    `);
    const concat = await offered("model:\n  neck:\n    type: concat\n    |\n");
    expect(concat.sort()).toMatchInlineSnapshot(`
      [
        "_delete_",
        "channels",
        "refine_convs",
      ]
    `);
  });

  it("offers every type's options where a base says the type", async () => {
    expect(await offered("model:\n  neck:\n    |\n")).toEqual(
      expect.arrayContaining(["type", "channels", "gate_channels", "_delete_"]),
    );
  });

  it("offers the names of metrics, in a list and where one decides", async () => {
    const names = ["mIoU", "mFscore", "mBIoU"];
    expect(await offered("evaluation:\n  metrics:\n    - |\n")).toEqual(expect.arrayContaining(names));
    expect(await offered("evaluation:\n  metrics:\n    - type: mFscore\n      |\n")).toEqual(["beta"]);
    expect(await offered("checkpoint: {best: |}\n")).toEqual(expect.arrayContaining([...names, "val_loss"]));
    expect(await offered("hooks: [{type: early_stopping, metric: |}]\n")).toEqual(
      expect.arrayContaining([...names, "val_loss"]),
    );
    expect(await offered("metric: |\n", "study")).toEqual(expect.arrayContaining(names));
  });

  it("offers an option's values", async () => {
    expect(await offered("model:\n  neck:\n    type: gff\n    gate_input: |\n")).toEqual(
      expect.arrayContaining(["reduced", "raw"]),
    );
  });
});

describe("hovering", () => {
  it.each([
    ["model: {ne|ck: {type: gff}}", "the fusion method"],
    ["model: {neck: {type: g|ff}}", "every level sends and receives through its gate (Eq. 5)"],
    ["model: {neck: {type: gff, refine|_convs: 2}}", "3×3 convolutions on each fused map"],
    ["optimizer: {l|r: 0.1}", "base learning rate"],
    ["data: {train: {transforms: [{type: random_flip, prob|ability: 1}]}}", "how often"],
  ])("%s", async (marked, text) => {
    const { path, position } = await at(`${marked}\n`);
    expect(await server.hover(path, position)).toContain(text);
  });
});
