import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyCheckpoint, CheckpointFolder } from "../../src/checkpoints/folder.ts";
import { Random } from "../../src/util/random.ts";
import { segfuseProgram } from "../helpers/built.ts";
import { useEngine } from "../helpers/engine.ts";
import { HookRuns } from "../helpers/hook_run.ts";
import { compareRuns, finishAndCompare, killAt, RunProcess, trainProcess } from "../helpers/killed_run.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

const tiny = new TinyRun();
const plan = { tiny, iterations: 16 };
const reference = tiny.path("reference");
beforeAll(async () => {
  const { code, stderr } = await trainProcess(plan, reference).ended;
  expect(code, stderr).toBe(0);
});
afterAll(() => tiny.remove());

const often = [
  "--set",
  "checkpoint.interval=1000",
  "--set",
  "log.interval=1",
  "--set",
  "schedule.iterations=500",
];

/** What a run tells its user last, without times. */
const tail = (stderr: string) =>
  stderr
    .slice(stderr.search(/^SIG/m))
    .replaceAll(tiny.folder, "FOLDER")
    .replaceAll(/^(iter|val|evaluate) .*\n/gm, "")
    .replaceAll(/\d+( iterations)/g, "#$1");

describe("a run that is killed", () => {
  // All twenty: kill.long.ts.
  it("goes on as if it had not been, in a checkpoint's writing, an iteration and an evaluation", async () => {
    const workDir = tiny.path("killed");
    const random = new Random("kill", 1);
    for (const moment of ["checkpoint", "evaluation", "iteration"] as const) {
      await killAt(moment, plan, workDir, random);
      const last = await new CheckpointFolder(workDir).named("last");
      if (last !== null) await verifyCheckpoint(last);
    }
    await finishAndCompare(plan, workDir, reference);
  });
});

describe("a run that is told to stop", () => {
  const workDir = tiny.path("stopped");

  it("finishes the iteration, stores it and says how to go on", async () => {
    const run = trainProcess(plan, workDir);
    run.onText(/iter 3\//, () => run.kill("SIGINT"));
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(130);
    expect(tail(stderr)).toMatchInlineSnapshot(`
      "SIGINT: finishing the iteration and storing a checkpoint (once more: end at once)
      stopped, with a checkpoint after # iterations; to go on:
        npx segfuse train FOLDER/tiny.yaml --set evaluation.interval=5 --set checkpoint.interval=2 --set checkpoint.keep_every=10 --set log.interval=1 --set model.backbone.base_channels=16 --set schedule.iterations=16 --work-dir FOLDER/stopped --resume
      "
    `);
  });

  it("does so in an evaluation", async () => {
    const run = trainProcess(plan, workDir, "data.workers=2");
    run.onText(/evaluate {2}1\//, () => run.kill("SIGTERM"));
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(143);
    expect(stderr).toMatch(/stopped, with a checkpoint after \d+ iterations; to go on:/);
  });

  it("ends at once when it is told once more, whatever it is busy with, and leaves the last checkpoint whole", async () => {
    const busy = tiny.path("busy.yaml");
    writeFileSync(
      tiny.path("busy.mjs"),
      `const create = () => ({
  afterCheckpoint() {
    process.stderr.write("busy\\n");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // no JavaScript runs, as while TensorFlow computes
  },
});
export default { kind: "hook", type: "busy", description: "for ever", schema: { type: "object", properties: {} }, create };
`,
    );
    writeFileSync(busy, "_base_: tiny.yaml\nplugins: [./busy.mjs]\nhooks: [{type: busy}]\n");
    const run = new RunProcess([...segfuseProgram, "train", busy, "--work-dir", tiny.path("busy"), ...often]);
    run.onText(/iter 1\//, () => run.kill("SIGINT"));
    run.onText(/^busy/m, () => run.kill("SIGINT"));
    const { signal, stderr } = await run.ended;
    expect(signal, stderr).toBe("SIGINT");
    expect(stderr).toContain("SIGINT: finishing");
    expect(stderr).not.toContain("to go on");
    await verifyCheckpoint((await new CheckpointFolder(tiny.path("busy")).named("last"))!);
  });

  it("ends like the run that was never stopped", async () => {
    await finishAndCompare(plan, workDir, reference);
  });
});

describe("a run whose caller aborts it in an evaluation", () => {
  const runs = new HookRuns();
  // The means of a longer interval begin anew where a run goes on.
  const everyUpdate = ["log.interval=1"];
  beforeAll(() => useEngine());
  afterAll(() => runs.remove());

  it("stores that the evaluation is still to be made, and makes it when it goes on", async () => {
    await runs.start("whole", everyUpdate);
    const controller = new AbortController();
    const stopped = runs.start("stopped", everyUpdate, {
      stop: controller.signal,
      onProgress: ({ phase }) => phase === "evaluate" && controller.abort("enough"),
    });
    await expect(stopped).rejects.toMatchObject({ name: "RunStopped", iteration: 3, reason: "enough" });
    const last = await new CheckpointFolder(runs.tiny.path("stopped")).named("last");
    const { pending, iteration } = await verifyCheckpoint(last!);
    expect({ iteration, pending }).toMatchObject({
      iteration: 3,
      pending: { hook: "evaluation", update: { iteration: 3 } },
    });
    await runs.start("stopped", everyUpdate, { resume: true });
    compareRuns(runs.tiny.path("stopped"), runs.tiny.path("whole"));
  });
});
