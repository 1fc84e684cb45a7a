import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadStudy } from "../../src/config/study.ts";
import { formatStudyTable } from "../../src/reports/text.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { runStudy, type StudyProgress } from "../../src/runners/study.ts";
import type { Report } from "../../src/reports/schema.ts";
import type { StudyReport } from "../../src/reports/study_schema.ts";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// Four rows as in the paper: a baseline, one that starts from it, one of that one's weights with several
// scales, and the baseline trained on. The file names the dependent rows first.

const tiny = new TinyRun();
const studyFile = tiny.path("study.yaml");
const workDir = tiny.path("study");
afterAll(() => tiny.remove());

async function run(options: { resume?: boolean } = {}) {
  const study = await loadStudy(studyFile, { registry: tiny.registry });
  const logger = new MemoryLogger();
  const events: StudyProgress[] = [];
  const report = await runStudy({
    study,
    workDir,
    registry: tiny.registry,
    logger,
    onProgress: (event) => events.push(event),
    ...options,
  });
  return { report, logger, events };
}

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };

/** A study lasts at least as long as what it reports of its runs, in however many sessions. */
const isWhole = ({ rows, seconds }: StudyReport) =>
  seconds >=
  rows
    .flatMap(({ runs }) => runs)
    .reduce((total, run) => total + (run.train_seconds ?? 0) + run.evaluation_seconds, 0);

const scores = ({ rows }: StudyReport) => rows.map(({ name, metrics }) => ({ name, metrics }));

const weightsOf = (row: string) =>
  readSafetensors(`${workDir}/${row}/seed_0/checkpoints/iter_${row === "base" ? 6 : 4}/model.safetensors`);

describe("a study", () => {
  let first: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    writeFileSync(
      tiny.path("base.yaml"),
      `_base_: tiny.yaml\nname: base\nmodel: {neck: {_delete_: true, type: none}}\ndata: {test: {split: val}}\n`,
    );
    writeFileSync(tiny.path("fused.yaml"), `_base_: tiny.yaml\nname: fused\nschedule: {iterations: 4}\n`);
    writeFileSync(
      tiny.path("multi.yaml"),
      `_base_: fused.yaml\nname: multi\nevaluation: {scales: [1.0, 1.5]}\n`,
    );
    writeFileSync(
      studyFile,
      `
title: a small study
baseline: base
rows:
  - {name: multi, label: + scales, config: multi.yaml, weights_from: fused, paper: {mIoU: 81.8}}
  - {name: fused, label: + fusion, config: fused.yaml, init_from: base, paper: {mIoU: 80.4}}
  - {name: base, label: Baseline, config: base.yaml, paper: {mIoU: 78.6}}
`,
    );
    first = await run();
  });

  it("trains rows in the order in which they start from each other", () => {
    const order = [...new Set(first.events.map(({ row, phase }) => `${row} ${phase}`))];
    expect(order).toEqual(["base train", "base evaluate", "fused train", "fused evaluate", "multi evaluate"]);
    expect(first.events.at(-1)).toMatchObject({ run: 3, runs: 3, studyEtaSeconds: 0 });
  });

  it("starts a row from the last weights of the row it names, the classifier fresh", async () => {
    const log = readFileSync(`${workDir}/fused/seed_0/run.jsonl`, "utf8").split("\n")[0]!;
    const { weights } = JSON.parse(log) as {
      weights: { sources: { file: string; loaded: string[]; fresh: string[] }[] };
    };
    const [source] = weights.sources;
    expect(source!.file).toBe(`${workDir}/base/seed_0/checkpoints/iter_6/model.safetensors`);
    const names = [...(await weightsOf("fused")).tensors.keys()];
    const isFresh = (name: string) => name.startsWith("neck.") || name === "head.classifier.weight";
    expect(source!.fresh.toSorted()).toEqual(names.filter(isFresh).toSorted());
    expect(source!.loaded.length + source!.fresh.length).toBe(names.length);
  });

  it("evaluates the same weights for a row that only changes the evaluation", () => {
    const [multi, fused] = ["multi", "fused"].map((name) =>
      first.report.rows.find((row) => row.name === name)!,
    );
    expect(multi!.runs[0]!.checkpoint_sha256).toBe(fused!.runs[0]!.checkpoint_sha256);
    expect(multi).toMatchObject({ iterations: 0, total_iterations: 10, weights_from: "fused" });
    expect(fused).toMatchObject({ iterations: 4, total_iterations: 10, init_from: "base" });
  });

  it("takes differences from the baseline, ours and the paper's", () => {
    const value = (report: StudyReport, name: string) => report.rows.find((row) => row.name === name)!;
    const [base, fused] = [value(first.report, "base"), value(first.report, "fused")];
    expect(base.delta).toBeNull();
    expect(fused.delta).toBeCloseTo(fused.metrics.mIoU!.mean! - base.metrics.mIoU!.mean!, 12);
    expect(fused.paper_delta).toBeCloseTo(80.4 - 78.6, 9);
  });

  it("names files from its work folder, and nothing from the machine's root", () => {
    const reports = ["base", "fused", "multi"].map((row) => {
      const folder = `${workDir}/${row}/seed_0`;
      for (const file of ["report.json", "report.md", "report.html"])
        expect(readFileSync(`${folder}/${file}`, "utf8")).not.toContain(tiny.folder);
      return JSON.parse(readFileSync(`${folder}/report.json`, "utf8")) as Report;
    });
    expect(reports.map(({ config, checkpoint }) => [config.path, checkpoint!.path])).toEqual([
      ["base.yaml", "base/seed_0/checkpoints/iter_6/model.safetensors"],
      ["fused.yaml", "fused/seed_0/checkpoints/iter_4/model.safetensors"],
      ["multi.yaml", "fused/seed_0/checkpoints/iter_4/model.safetensors"],
    ]);
    for (const file of ["report.json", "report.md", "report.html"])
      expect(readFileSync(`${workDir}/${file}`, "utf8")).not.toContain(tiny.folder);
  });

  it("prints the rows beside the paper's", () => {
    // what the networks scored depends on the machine; all else is the study's own
    const report = structuredClone(first.report) as Mutable<StudyReport>;
    for (const row of report.rows) {
      for (const spread of Object.values(row.metrics)) spread.mean = 0.5;
      if (row.delta !== null) row.delta = 0.0125;
      for (const run of row.runs) if (run.train_seconds !== null) run.train_seconds = 61;
    }
    report.constant_guess = { class: "sky", mIoU: 0.1, mAcc: 0.2, aAcc: 0.3 };
    expect(formatStudyTable(report)).toMatchInlineSnapshot(`
      "a small study

      Row                  | paper mIoU | Δ paper | ours mIoU | Δ ours |  mAcc |  aAcc | iterations | train time
      ---------------------+------------+---------+-----------+--------+-------+-------+------------+-----------
      Baseline             |      78.60 |       – |     50.00 |      – | 50.00 | 50.00 |          6 |       1:01
      + fusion             |      80.40 |   +1.80 |     50.00 |  +1.25 | 50.00 | 50.00 |      6 + 4 |       1:01
      + scales             |      81.80 |   +3.20 |     50.00 |  +1.25 | 50.00 | 50.00 |   as fused |          –
      constant guess (sky) |          – |       – |     10.00 |      – | 20.00 | 30.00 |          – |          –

      Paper: the paper's own numbers, on its data. Ours: folder val, 3 images; per cent.
      Always answering sky, the commonest class of these labels, scores mIoU 10.00, aAcc 30.00.
      Baseline: resnet 18, 6 iterations of 2 images, crop 32×32, learning rate 0.05.
      + fusion: resnet 18, 4 iterations of 2 images, crop 32×32, learning rate 0.05.
      + scales: no training, the weights of fused."
    `);
  });

  it("keeps finished rows on --resume, and runs a row again whose results are gone", async () => {
    const again = await run({ resume: true });
    expect(again.events).toEqual([]);
    expect(scores(again.report)).toEqual(scores(first.report));
    expect([first, again].map(({ report }) => isWhole(report))).toEqual([true, true]);

    rmSync(`${workDir}/fused`, { recursive: true });
    const repaired = await run({ resume: true });
    expect([...new Set(repaired.events.map(({ row }) => row))]).toEqual(["fused"]);
    expect(scores(repaired.report)).toEqual(scores(first.report));
  });

  it("does not run again what starts from a row that came out the same a second time", async () => {
    rmSync(`${workDir}/base`, { recursive: true });
    const again = await run({ resume: true });
    expect([...new Set(again.events.map(({ row }) => row))]).toEqual(["base"]);
    expect(scores(again.report)).toEqual(scores(first.report));
  });

  it("goes on within a row whose newest checkpoint is damaged, and with what starts from it", async () => {
    truncateSync(`${workDir}/base/seed_0/checkpoints/iter_6/model.safetensors`, 1000);
    const again = await run({ resume: true });
    const updates = again.events.filter(({ phase }) => phase === "train");
    expect(updates.map(({ row, iteration }) => `${row} ${iteration}`)).toEqual(["base 5", "base 6"]);
    expect(scores(again.report)).toEqual(scores(first.report));
    expect(isWhole(again.report)).toBe(true);
  });

  it("runs a row again whose first weights are others now, and what starts from it; earlier runs are kept", async () => {
    const out = tiny.path("first.safetensors");
    const loaded = await tiny.load("seed=4", "model.neck.type=none");
    await writeInitialWeights({ loaded, out, registry: tiny.registry, logger: new MemoryLogger() });
    writeFileSync(
      tiny.path("base.yaml"),
      `${readFileSync(tiny.path("base.yaml"), "utf8")}init_from: ${out}\n`,
    );
    const again = await run({ resume: true });
    expect([...new Set(again.events.map(({ row }) => row))]).toEqual(["base", "fused", "multi"]);
    for (const row of ["base", "fused", "multi"])
      expect(readdirSync(`${workDir}/${row}`)).toEqual(["seed_0", "seed_0.old_1"]);
  });

  it("refuses a folder that holds another study", async () => {
    await expect(run()).rejects.toMatchObject({ code: "SEGFUSE_WORK_DIR_NOT_EMPTY" });
  });
});
