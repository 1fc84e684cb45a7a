import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadStudy } from "../../src/config/study.ts";
import { runStudy } from "../../src/runners/study.ts";
import { segfuse } from "../helpers/cli.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// A test split of images alone.

const run = new TinyRun({ train: 2, val: 1 });
beforeAll(() => {
  mkdirSync(`${run.data}/images/test`);
  copyFileSync(`${run.data}/images/val/0.png`, `${run.data}/images/test/0.png`);
});
afterAll(() => run.remove());

it("`test` says that there is nothing to compare with, and names `predict`", async () => {
  const weights = run.path("any.safetensors");
  writeFileSync(weights, "");
  const set = ["--set", "data.test.split=test", "--set", "engine.type=cpu"];
  const { code, stdout, stderr } = await segfuse(["test", run.config, weights, ...set]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.replaceAll(run.folder, "ROOT")).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_UNLABELLED: split "test" has 1 image and no masks: there is nothing to compare with
      at: ROOT/data/masks/test
      expected: masks that end in .png, .tif, .tiff, .bmp
      found: no such folder
      try: segfuse predict CONFIG CHECKPOINT ROOT/data/images/test/* --out FOLDER, which needs no masks
    "
  `);
});

it("a study is told before it trains", async () => {
  writeFileSync(run.path("study.yaml"), "title: t\nrows: [{name: a, label: a, config: row.yaml}]\n");
  writeFileSync(run.path("row.yaml"), "_base_: tiny.yaml\ndata: {test: {split: test}}\n");
  const study = await loadStudy(run.path("study.yaml"), { registry: run.registry });
  const workDir = run.path("study");
  const logger = new MemoryLogger();
  await expect(runStudy({ study, workDir, registry: run.registry, logger })).rejects.toMatchObject({
    code: "SEGFUSE_DATA_UNLABELLED",
  });
  expect(existsSync(`${workDir}/a`)).toBe(false);
});
