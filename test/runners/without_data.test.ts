import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { SegfuseError } from "../../src/errors.ts";
import { configClasses } from "../../src/runners/classes.ts";
import { configCost } from "../../src/runners/cost.ts";
import { configGraph } from "../../src/runners/graph.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { predictFiles } from "../../src/runners/predict.ts";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// Commands that read no data, with configs whose data are not there.

const run = new TinyRun();
afterAll(() => run.remove());
const { registry } = run;
const env = {};

/** The tiny config over another data set. */
function config(name: string, dataset: string, more = ""): string {
  const path = run.path(`${name}.yaml`);
  writeFileSync(path, `_base_: tiny.yaml\ndata:\n  dataset: {_delete_: true, ${dataset}}\n${more}`);
  return path;
}
/** A data set that says its classes by its options alone, and one whose files alone know them. */
const described = config("described", 'type: folder, root: "${env:NOWHERE}", classes: [ground, box, sky]');
const undescribed = config("undescribed", 'type: camvid, root: "${env:NOWHERE}"');
const absent = config("absent", "type: camvid, root: ./none");

const load = (path: string, ...set: string[]) =>
  loadConfig(path, { registry, env, set, allowUnsetEnv: true });
const out = (name: string) => run.path(`${name}.safetensors`);

async function init(path: string, name: string, ...set: string[]) {
  const logger = new MemoryLogger();
  await writeInitialWeights({ loaded: await load(path, ...set), out: out(name), registry, logger });
  const { tensors, metadata } = await readSafetensors(out(name));
  return { tensors, metadata, warnings: logger.lines.filter((line) => line.startsWith("warning")) };
}

async function predict(path: string, checkpoint: string, ...set: string[]) {
  const logger = new MemoryLogger();
  const images = [`${run.data}/images/val/0.png`];
  const predictions: { classes: readonly string[]; pixels: Int32Array }[] = [];
  await predictFiles({
    ...{ loaded: await load(path, ...set), checkpoint, images, outDir: null, registry, logger },
    onImage: ({ info, classes }) => void predictions.push({ classes: info.classes, pixels: classes }),
  });
  return predictions[0]!;
}

const told = (action: Promise<unknown>) =>
  action.then(
    () => "nothing was refused",
    (error: SegfuseError) => error.report().replaceAll(run.folder, "ROOT"),
  );

beforeAll(async () => void (await init(run.config, "whole")), 120_000);

describe("init", () => {
  it("writes the same file where the options name the classes", async () => {
    const { warnings } = await init(run.config, "unset", "data.dataset.root=${env:NOWHERE}");
    expect(warnings).toEqual([]);
    expect(readFileSync(out("unset")).equals(readFileSync(out("whole")))).toBe(true);
  });

  it("writes the same tensors where model.num_classes alone says how many, and no names", async () => {
    const { tensors, metadata, warnings } = await init(undescribed, "counted", "model.num_classes=3");
    expect(tensors).toEqual((await readSafetensors(out("whole"))).tensors);
    expect(Object.keys(metadata)).not.toContain("classes");
    expect(warnings.map((line) => line.replaceAll(run.folder, "ROOT"))).toMatchInlineSnapshot(`
      [
        "warning: ROOT/counted.safetensors will not name its classes: the environment variable NOWHERE is not set",
      ]
    `);
  });
});

describe("cost and graph", () => {
  it.each([
    ["described", described, []],
    ["counted", undescribed, ["model.num_classes=3"]],
  ])("%s", async (_, path, set) => {
    const settings = { size: [64, 64], convention: "mac" } as const;
    const whole = await load(run.config);
    const loaded = await load(path, ...set);
    expect(await configCost(loaded, registry, settings)).toEqual(await configCost(whole, registry, settings));
    expect(await configGraph(loaded, registry, [64, 64])).toEqual(
      await configGraph(whole, registry, [64, 64]),
    );
  });
});

describe("predict", () => {
  it("needs nothing of the data where the checkpoint names its classes", async () => {
    const whole = await predict(run.config, out("whole"));
    expect(whole.classes).toEqual(["ground", "box", "sky"]);
    expect(await predict(undescribed, out("whole"))).toEqual(whole);
    // Weights to start from and what training alone reads are not there either.
    const more = ["model.backbone.pretrained=${env:NOWHERE}/r18.pth", "init_from=${env:NOWHERE}"];
    expect(await predict(undescribed, out("whole"), ...more)).toEqual(whole);
  });

  it("asks the config where it names none, or counts", async () => {
    await init(undescribed, "counted", "model.num_classes=3");
    expect((await predict(described, out("counted"))).classes).toEqual(["ground", "box", "sky"]);
    const counted = await predict(undescribed, out("counted"), "model.num_classes=3");
    expect(counted.classes).toEqual(["class 0", "class 1", "class 2"]);
  });

  it("refuses another number of classes than the checkpoint's", async () => {
    expect(await told(predict(undescribed, out("whole"), "model.num_classes=4"))).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_CLASSES: the checkpoint was trained for other classes
        at: ROOT/whole.safetensors
        expected: 4 (model.num_classes)
        found: 3: ground, box, sky
        try: leave model.num_classes out: it follows the checkpoint"
    `);
  });
});

describe("test", () => {
  const evaluate = async (path: string, ...set: string[]) => {
    const loaded = await load(path, "data.test.split=val", ...set);
    const inputs = { loaded, checkpoint: out("whole"), registry, logger: new MemoryLogger() };
    return (await testCheckpoint(inputs)).confusion;
  };

  it("needs no weights that training starts from, and the data", async () => {
    const weights = ["model.backbone.pretrained=${env:NOWHERE}/r18.pth", "init_from=${env:NOWHERE}"];
    expect(await evaluate(run.config, ...weights)).toEqual(await evaluate(run.config));
    expect(await told(evaluate(described, ...weights))).toContain("SEGFUSE_CONFIG_ENV");
  });
});

it("where nothing says how many classes, model.num_classes is named", async () => {
  const settings = { size: [64, 64], convention: "mac" } as const;
  const reports = [
    await told(init(undescribed, "none")),
    await told(init(absent, "none")),
    await told(load(undescribed).then((loaded) => configCost(loaded, registry, settings))),
    await told(predict(undescribed, out("counted"))),
  ];
  expect(reports[0]).toContain("SEGFUSE_CONFIG_ENV");
  expect([reports[2], reports[3]]).toEqual([reports[0], reports[0]]);
  expect(reports.slice(0, 2).join("\n\n")).toMatchInlineSnapshot(`
    "SEGFUSE_CONFIG_ENV: the environment variable NOWHERE is not set
      at: ROOT/undescribed.yaml:3:49 (data.dataset.root)
      3 |   dataset: {_delete_: true, type: camvid, root: "\${env:NOWHERE}"}
        |                                                 ^
      found: "\${env:NOWHERE}" (a string)
      try: export NOWHERE=VALUE, or --set data.dataset.root=VALUE; or --set model.num_classes=N: this command needs no more of the data than how many classes it has

    SEGFUSE_DATA_ROOT: the CamVid folder does not exist
      at: ROOT/none
      try: set SEGFUSE_CAMVID (or data.dataset.root) to it; or --set model.num_classes=N: this command needs no more of the data than how many classes it has"
  `);
});

it("what a command does read has to be there", async () => {
  const reads = ["data.test.transforms=[{type: resize, size: [8, 8]}]", "plugins=['${env:NOWHERE}/neck.ts']"];
  expect(await told(predict(described, out("whole"), ...reads))).toMatchInlineSnapshot(`
    "SEGFUSE_CONFIG_ENV: the environment variable NOWHERE is not set
      at: --set plugins=['\${env:NOWHERE}/neck.ts'] (plugins.0)
      found: "\${env:NOWHERE}/neck.ts" (a string)
      try: export NOWHERE=VALUE, or --set plugins.0=VALUE"
  `);
  expect((await configClasses(await load(described), registry)).info.ignoreIndex).toBe(255);
});
