import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckpointJob } from "../../src/checkpoints/state.ts";
import type { CheckpointSink } from "../../src/checkpoints/writer.ts";
import { loadStudy } from "../../src/config/study.ts";
import type { TrainLoader } from "../../src/datasets/loader.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Scope } from "../../src/registry/scope.ts";
import { predictFiles } from "../../src/runners/predict.ts";
import { runStudy } from "../../src/runners/study.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import type { Optimizer } from "../../src/training/optimizers/contracts.ts";
import { innerTokens, runTokens } from "../../src/training/tokens.ts";
import { useEngine } from "../helpers/engine.ts";
import { HookRuns } from "../helpers/hook_run.ts";
import { MemoryLogger } from "../helpers/tiny_run.ts";

let runs: HookRuns;
let engine: Engine;
beforeAll(async () => {
  engine = await useEngine();
  runs = new HookRuns();
  for (const name of ["momentum.ts", "confusion_table.ts"])
    writeFileSync(runs.tiny.path(name), documented(name));
});
afterAll(() => runs.remove());

/** A plug-in of docs/hooks.md. */
function documented(name: string): string {
  const page = readFileSync(new URL("../../docs/hooks.md", import.meta.url), "utf8");
  return new RegExp(`^\`\`\`ts ${name}\n(.*?)^\`\`\`$`, "ms").exec(page)![1]!;
}

const plugins = (...names: string[]) => `plugins=[${names.map((name) => runs.tiny.path(name)).join(", ")}]`;

/** The sums of the rows of a table that the metric has written. */
function confusionOf(folder: string): string[] {
  const [header, ...rows] = runs.text(folder, "confusion.csv").trimEnd().split("\n");
  const sums = rows.map((row) => {
    const [label, colour, ...counts] = row.split(",");
    return `${label} ${colour} ${counts.reduce((sum, count) => sum + Number(count), 0)}`;
  });
  return [header!, ...sums];
}

describe("plug-ins ask their run", () => {
  const asking = () => [plugins("momentum.ts", "confusion_table.ts"), "evaluation.metrics=[mIoU, found]"];
  const short = ["schedule.iterations=2", "evaluation.interval=2"];

  it("a hook for optimiser and logger, a metric for the data set and the output folder", async () => {
    const logger = new MemoryLogger();
    const set = [...asking(), ...short, "hooks=[{type: momentum, every: 1}]"];
    const { checkpoint, best } = await runs.start("asks", set, { logger });
    const told = logger.lines.filter((line) => line.startsWith("norm of the optimiser's state"));
    expect(told.map((line) => line.replace(/\d+\.\d+/, "N"))).toEqual([
      "norm of the optimiser's state after 1 updates: N",
      "norm of the optimiser's state after 2 updates: N",
    ]);
    expect(told.every((line) => Number(line.split(": ")[1]) > 0)).toBe(true);

    const { registry } = runs.tiny;
    const table = confusionOf("asks");
    expect(table.map((line) => line.replace(/ \d+$/, ""))).toEqual([
      "label,rgb,ground,box,sky",
      "ground 200 40 40",
      "box 40 200 40",
      "sky 40 40 200",
    ]);
    // `data.test` is the validation split: the same images, and the label's pixels do not depend on the weights.
    const loaded = await runs.tiny.load(...asking());
    const inputs = { loaded, registry, logger, checkpoint };
    const outDir = runs.tiny.path("tested");
    mkdirSync(outDir);
    const report = await testCheckpoint({ ...inputs, outDir });
    expect(confusionOf("tested")).toEqual(table);
    expect(report.metrics).toMatchObject({ found: report.metrics.aAcc });
    expect(report.metrics.mIoU).toBe(best!.value);
    // Without an output folder there is none to write to.
    await testCheckpoint(inputs);
  });

  const greedy = (kind: string, get: string) => `import { define${kind}, runTokens, Type } from "segfuse";
export default define${kind}({ type: "greedy", description: "asks too early", schema: Type.Object({}),
  create(_options, { scope }) {
    ${get};
    return { compute: () => 0, beforeRun() {} };
  } });\n`;

  it("and are told what there is where a part is not", async () => {
    writeFileSync(runs.tiny.path("metric.ts"), greedy("Metric", "scope.get(runTokens.optimizer)"));
    writeFileSync(runs.tiny.path("hook.ts"), greedy("Hook", "scope.get(runTokens.hooks)"));
    const loaded = await runs.tiny.load(plugins("metric.ts"), "evaluation.metrics=[greedy]");
    const { registry } = runs.tiny;
    const inputs = { loaded, registry, logger: new MemoryLogger(), checkpoint: runs.tiny.path("asks") };
    const texts = [
      await runs.complaint(testCheckpoint(inputs)),
      // The preflight's check, before the engine is open.
      await runs.complaint(runs.start("greedy", [plugins("metric.ts"), "evaluation.metrics=[greedy]"])),
      await runs.complaint(runs.start("greedy", [plugins("hook.ts"), "hooks=[{type: greedy}]"])),
    ];
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_RUN_PART: the run has no part 'optimizer', or not yet
        at: FOLDER/metric.ts:4:11, in create()
        expected: one of info, loaded, logger, onProgress, registry, seed, segmentor, stop
        found: optimizer
        try: ask later, or only where scope.has(runTokens.optimizer)
      SEGFUSE_RUN_PART: the run has no part 'optimizer', or not yet
        at: FOLDER/metric.ts:4:11, in create()
        expected: one of info, loaded, logger, onProgress, registry, seed, segmentor, stop, workDir
        found: optimizer
        try: ask later, or only where scope.has(runTokens.optimizer)
      SEGFUSE_RUN_PART: the part 'hooks' is asked for while it is being made
        at: FOLDER/hook.ts:4:11, in create() of the hook 'greedy' of a plug-in
        found: hooks
        try: ask later: a hook in beforeRun"
    `);
    expect(existsSync(runs.tiny.path("greedy"))).toBe(false);
  });
});

describe("tests put parts in the place of a run's own", () => {
  const side = 32;
  const batch = {
    ids: ["a", "b"],
    height: side,
    width: side,
    images: new Float32Array(2 * side * side * 3),
    labels: new Int32Array(2 * side * side),
  };

  /** Parts that write down what is asked of them. */
  function fakes() {
    const notes: string[] = [];
    const jobs: CheckpointJob[] = [];
    const logger = new MemoryLogger();
    const stored: CheckpointJob[] = [];
    const writer: CheckpointSink = {
      write(job) {
        jobs.push(job);
        stored.push(job);
      },
      takeStored: () =>
        stored
          .splice(0)
          .map(({ state }) => ({ iteration: state.iteration, folder: "memory", isBest: false })),
      finish: () => Promise.resolve(),
      close: () => Promise.resolve(void notes.push("writer closed")),
    };
    const loader: TrainLoader = {
      info: { classes: [], palette: [], ignoreIndex: 255 },
      length: 2,
      waitSeconds: 0,
      next: () => Promise.resolve(batch),
      close: () => Promise.resolve(void notes.push("loader closed")),
    };
    const optimizer: Optimizer = {
      apply: (_gradients, lr) => void notes.push(`applied ${lr}`),
      state: () => new Map(),
      dispose: () => void notes.push("optimizer disposed"),
    };
    const wire = (scope: Scope) => {
      scope.give(runTokens.logger, logger);
      scope.give(runTokens.engine, { ...engine, version: "made up" });
      scope.give(runTokens.schedule, { iterations: 2, rate: (iteration) => 10 + iteration });
      scope.lazy(runTokens.optimizer, () => optimizer);
      scope.lazy(innerTokens.loader, () => loader);
      scope.lazy(innerTokens.checkpointWriter, () => writer);
    };
    return { notes, jobs, logger, wire };
  }

  const set = ["schedule.iterations=2", "evaluation.interval=9", "log.interval=1"];

  it("logger, engine, schedule, optimiser, loader and checkpoint writer; they end in the run's order", async () => {
    const { notes, jobs, logger, wire } = fakes();
    writeFileSync(
      runs.tiny.path("last.mjs"),
      `export default { kind: "hook", type: "last", description: "notes its end", schema: { type: "object", properties: {}, required: [] },
  create: () => ({ close: () => globalThis.segfuseNotes.push("hook closed") }) };\n`,
    );
    (globalThis as { segfuseNotes?: string[] }).segfuseNotes = notes;
    const unheard = new MemoryLogger();
    const tensors = tf.memory().numTensors;
    const hooks = [plugins("last.mjs"), "hooks=[{type: last}]"];
    await runs.start("replaced", [...set, ...hooks], { logger: unheard, wire });
    expect(notes).toEqual([
      "applied 10",
      "applied 11",
      "writer closed",
      "hook closed",
      "loader closed",
      "optimizer disposed",
    ]);
    // The network is the run's own, and disposed of.
    expect(tf.memory().numTensors).toBe(tensors);

    expect(unheard.lines).toEqual([]);
    expect(logger.lines.find((line) => line.startsWith("engine:"))).toContain("made up");
    const log = runs.log("replaced");
    expect(log[0]).toMatchObject({ event: "start", engine: { version: "made up" } });
    expect(log.filter(({ event }) => event === "train").map(({ lr }) => lr)).toEqual([10, 11]);
    expect(log.filter(({ event }) => event === "checkpoint")).toMatchObject([{ iteration: 2 }]);

    expect(jobs.map(({ state }) => state.iteration)).toEqual([2]);
    const [weights, state] = jobs[0]!.files;
    expect([weights!.tensors.length > 50, state!.tensors.length]).toEqual([true, 0]);
    expect(existsSync(runs.tiny.path("replaced/checkpoints"))).toBe(false);
  });

  it("and a run that fails on the way ends what it has by then", async () => {
    const { notes, wire } = fakes();
    const broken = (scope: Scope) => {
      scope.lazy(runTokens.engine, () => {
        throw new RangeError("no engine today");
      });
      wire(scope);
    };
    await expect(runs.start("broken", set, { wire: broken })).rejects.toThrow("no engine today");
    expect(notes).toEqual(["loader closed"]);
  });

  it("in test, predict and each run of a study as well", async () => {
    const { registry } = runs.tiny;
    const logger = new MemoryLogger();
    const own = new MemoryLogger();
    const wire = (scope: Scope) => scope.give(runTokens.logger, own);
    const inputs = {
      loaded: await runs.tiny.load(),
      registry,
      logger,
      checkpoint: runs.tiny.path("asks"),
      wire,
    };
    await testCheckpoint(inputs);
    const images = [`${runs.tiny.data}/images/val/0.png`];
    await predictFiles({ ...inputs, images, outDir: null });
    expect(own.lines.at(-1)).toContain("predicting 1 image");

    const study = runs.tiny.path("study.yaml");
    writeFileSync(study, "title: t\nbaseline: a\nrows: [{name: a, label: A, config: tiny.yaml}]\n");
    const refuse = (scope: Scope) => {
      wire(scope);
      scope.lazy(runTokens.segmentor, () => {
        throw new RangeError("another network");
      });
    };
    const workDir = runs.tiny.path("study");
    const loaded = await loadStudy(study, { registry });
    await expect(runStudy({ study: loaded, workDir, registry, logger, wire: refuse })).rejects.toThrow(
      "another network",
    );
    expect(logger.lines).toEqual([]);
  });
});
