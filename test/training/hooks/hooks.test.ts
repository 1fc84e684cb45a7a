import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Profile } from "../../../src/training/hooks/profiler.ts";
import { useEngine } from "../../helpers/engine.ts";
import { readEvents } from "../../helpers/event_file.ts";
import { HookRuns } from "../../helpers/hook_run.ts";
import { MemoryLogger } from "../../helpers/tiny_run.ts";

let runs: HookRuns;
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns();
});
afterAll(() => runs.remove());

describe("a plug-in's hook", () => {
  /** Writes its name and each event to a list that the test reads, and keeps a count and a tensor. */
  const plugin = (type: string, stage: string) => `
    const schema = {
      type: "object",
      properties: { every: { type: "integer", minimum: 1, default: 2, description: "e" } },
      required: [],
    };
    const note = (text) => globalThis.segfuseNotes?.push(${JSON.stringify(type)} + " " + text);
    function create({ every }, { run, workDir, segmentor }) {
      let count = 0;
      return {
        beforeRun: () => note("beforeRun " + count),
        beforeUpdate: (iteration) => note("beforeUpdate " + iteration),
        beforeStep: ({ iteration, gradients }) => note("beforeStep " + iteration + " " + (Object.keys(gradients).length > 9)),
        async afterUpdate({ iteration, losses, lr, seconds }) {
          count++;
          const isPlain = losses.loss > 0 && lr > 0 && seconds.total > seconds.forward;
          note("afterUpdate " + iteration + " " + isPlain + (iteration % every === 0 ? " due" : ""));
        },
        beforeEvaluation: (iteration) => {
          note("beforeEvaluation " + iteration);
          return () => note("undo " + iteration);
        },
        afterEvaluation: ({ iteration, result }) => note("afterEvaluation " + iteration + " " + result.images),
        afterCheckpoint: ({ iteration, isBest }) => note("afterCheckpoint " + iteration + " " + isBest),
        onLog: ({ event, iteration }) => note("onLog " + event + " " + iteration),
        afterRun: () => note("afterRun " + run.iteration),
        onError: (error) => note("onError " + error.message),
        close: () => note("close"),
        state: () => ({ count }),
        loadState: (state) => (count = state.count),
      };
    }
    export default { kind: "hook", type: ${JSON.stringify(type)}, description: "mine", ${stage} schema, create };`;

  const notes: string[] = [];
  let set: string[];
  beforeAll(() => {
    (globalThis as { segfuseNotes?: string[] }).segfuseNotes = notes;
    writeFileSync(runs.tiny.path("mine.mjs"), plugin("mine", ""));
    writeFileSync(runs.tiny.path("late.mjs"), plugin("late", 'stage: "checkpoint",'));
    set = [
      `plugins=[${runs.tiny.path("mine.mjs")}, ${runs.tiny.path("late.mjs")}]`,
      "hooks=[{type: late, every: 1}, {type: mine}]",
      "schedule.iterations=2",
      "evaluation.interval=2",
      "log.interval=1",
    ];
  });
  afterAll(() => delete (globalThis as { segfuseNotes?: string[] }).segfuseNotes);

  it("is called at every event, in the order of the stages", async () => {
    await runs.start("noted", set);
    expect(notes.join("\n")).toMatchInlineSnapshot(`
      "mine beforeRun 0
      late beforeRun 0
      mine beforeUpdate 1
      late beforeUpdate 1
      mine beforeStep 1 true
      late beforeStep 1 true
      mine onLog start 0
      late onLog start 0
      mine afterUpdate 1 true
      mine onLog train 1
      late onLog train 1
      late afterUpdate 1 true due
      mine beforeUpdate 2
      late beforeUpdate 2
      mine beforeStep 2 true
      late beforeStep 2 true
      mine afterUpdate 2 true due
      mine onLog train 2
      late onLog train 2
      mine beforeEvaluation 2
      late beforeEvaluation 2
      late undo 2
      mine undo 2
      mine afterEvaluation 2 3
      mine onLog evaluate 2
      late onLog evaluate 2
      late afterEvaluation 2 3
      late afterUpdate 2 true due
      mine onLog checkpoint 2
      late onLog checkpoint 2
      mine afterCheckpoint 2 true
      late afterCheckpoint 2 true
      mine onLog end 2
      late onLog end 2
      mine afterRun 2
      late afterRun 2
      late close
      mine close"
    `);
  });

  it("has its state in checkpoints", async () => {
    notes.length = 0;
    await runs.start("noted_on", [...set, "schedule.iterations=3"], {
      resumeFrom: runs.tiny.path("noted/checkpoints/iter_2"),
      allowChange: ["schedule.iterations"],
    });
    expect(notes.slice(0, 2)).toEqual(["mine beforeRun 2", "late beforeRun 2"]);
    const { hooks } = runs.json<{ hooks: object }>("noted_on/checkpoints/iter_3/state.json");
    expect(hooks).toEqual({ mine: { count: 3 }, late: { count: 3 } });
  });

  it("hears of the error that ends a run, and is closed", async () => {
    notes.length = 0;
    await runs.complaint(runs.start("noted_error", [...set, "optimizer.lr=1e9"]));
    expect(notes.slice(-4)).toEqual([
      "mine onError the loss of iteration 2 is larger than 10000",
      "late onError the loss of iteration 2 is larger than 10000",
      "late close",
      "mine close",
    ]);
  });

  it("may stand in the list once", async () => {
    const doubled = await runs.complaint(
      runs.tiny.load("hooks=[{type: ema}, {type: profiler}, {type: ema}]"),
    );
    const unknown = await runs.complaint(runs.tiny.load("hooks=[{type: emma}]"));
    const option = await runs.complaint(runs.tiny.load("hooks=[{type: ema, momentum: 2}]"));
    expect([doubled, unknown, option].join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_HOOK_TWICE: a hook stands in the list twice
        at: --set hooks=[{type: ema}, {type: profiler}, {type: ema}] (hooks.2)
        expected: ema at most once
        found: another ema
      SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no hook 'emma'
        at: --set hooks=[{type: emma}] (hooks.0.type)
        did you mean: ema
        valid: finite_guard, ema, progress, log, jsonl, tensorboard, profiler, evaluation, early_stopping, checkpoint, mine, late
      SEGFUSE_CONFIG_RANGE: 'momentum' is out of range
        at: --set hooks=[{type: ema, momentum: 2}] (hooks.0.momentum)
        expected: a number > 0 and ≤ 1
        found: 2"
    `);
  });
});

describe("the profiler", () => {
  it("says at the end where the time went", async () => {
    const logger = new MemoryLogger();
    await runs.start("profiled", ["hooks=[{type: profiler}]"], { logger });
    const profile = runs.json<Profile>("profiled/profile.json");
    expect(profile.updates).toBe(5);
    const { parts, memory } = profile;
    expect(
      Object.entries(parts)
        .map(([name, { count }]) => `${name} ${count}`)
        .join(", "),
    ).toMatchInlineSnapshot(`"data 5, forward 5, backward 5, update 5, evaluation 2, other 5"`);
    const sum = Object.values(parts).reduce((total, { share }) => total + share, 0);
    expect(sum).toBeCloseTo(1, 6);
    expect(parts.forward.seconds).toBeGreaterThan(0);
    expect(parts.backward.seconds).toBeGreaterThan(parts.update.seconds);
    expect(memory.tensors.first).toBe(memory.tensors.last);
    const table = logger.lines.slice(logger.lines.findIndex((line) => line.startsWith("profile")));
    expect(table.join("\n").replaceAll(/ *\d+(\.\d+)?/g, " #")).toMatchInlineSnapshot(`
      "profile of # updates in # s
                     seconds     share   mean ms    max ms
        data # # % # #
        forward # # % # #
        backward # # % # #
        update # # % # #
        evaluation # # % # #
        other # # % #         –
        memory: # MiB resident (at most #), # tensors with # MiB between updates"
    `);
  });
});

describe("TensorBoard files", () => {
  it("hold the log's numbers", async () => {
    const before = tf.memory().numTensors;
    await runs.start("board", ["log.tensorboard=true"]);
    expect(tf.memory().numTensors).toBe(before);
    const folder = runs.tiny.path("board/tensorboard");
    const [file, ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    const events = readEvents(readFileSync(join(folder, file!)));
    expect([...new Set(events.map(({ tag }) => tag))].sort().join(" ")).toMatchInlineSnapshot(
      `"train/aux.loss_ce train/data_wait_share train/decode.loss_ce train/eta_seconds train/loss train/lr train/memory_mb train/seconds_per_iteration train/tensors val/aAcc val/fwIoU val/kappa val/loss val/mAcc val/mDice val/mFscore val/mIoU val/mPrecision val/mRecall val_class_IoU/box val_class_IoU/ground val_class_IoU/sky"`,
    );
    const log = runs.log("board");
    for (const line of log.filter(({ event }) => event === "train")) {
      const found = events.find(({ tag, step }) => tag === "train/loss" && step === line.iteration);
      expect(found!.value).toBe(Math.fround(line.loss as number));
    }
    const [evaluation] = log.filter(({ event }) => event === "evaluate");
    const { mIoU } = evaluation!.metrics as { mIoU: number };
    expect(events.find(({ tag }) => tag === "val/mIoU")).toEqual({
      tag: "val/mIoU",
      step: 3,
      value: Math.fround(mIoU),
    });
  });

  it("need the native engine", async () => {
    // The engine is the process's: in a process of its own.
    const script = `
      import { openEngine } from "./.built/src/engine/engine.js";
      import { EventFile } from "./.built/src/engine/event_file.js";
      await openEngine({ type: "cpu", threads: null });
      try { EventFile.requireEngine(); } catch (error) { console.log(error.report()); }`;
    const run = promisify(execFile);
    const args = ["--input-type=module", "-e", script];
    const { stdout } = await run(process.execPath, args);
    expect(stdout).toMatchInlineSnapshot(`
      "SEGFUSE_TENSORBOARD_ENGINE: TensorBoard files need the native engine
        at: log.tensorboard
        expected: the engine tensorflow, whose library writes them
        found: the engine cpu
        try: \`segfuse setup\`, or log.tensorboard: false: run.jsonl has the same numbers
      "
    `);
  });
});
