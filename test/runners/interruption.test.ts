import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyCheckpoint, CheckpointFolder } from "../../src/runners/checkpoints.ts";
import { Random } from "../../src/util/random.ts";
import { finishAndCompare, killAt, trainProcess } from "../helpers/killed_run.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

const tiny = new TinyRun();
const plan = { tiny, iterations: 16 };
const reference = tiny.path("reference");
beforeAll(async () => {
  const { code, stderr } = await trainProcess(plan, reference).ended;
  expect(code, stderr).toBe(0);
});
afterAll(() => tiny.remove());

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
        npm run segfuse -- train FOLDER/tiny.yaml --set evaluation.interval=5 --set checkpoint.interval=2 --set checkpoint.keep_every=10 --set log.interval=1 --set model.backbone.base_channels=16 --set schedule.iterations=16 --work-dir FOLDER/stopped --resume
      "
    `);
  });

  it("does so in an evaluation, which the resumed run makes up for", async () => {
    const run = trainProcess(plan, workDir, "data.workers=2");
    run.onText(/evaluate {2}1\//, () => run.kill("SIGTERM"));
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(143);
    const last = await new CheckpointFolder(workDir).named("last");
    const { pending } = await verifyCheckpoint(last!);
    expect(pending).toMatchObject({ hook: "evaluation", update: { iteration: 5 } });
  });

  it("ends at once when it is told twice, and leaves the last checkpoint whole", async () => {
    const run = trainProcess(plan, workDir);
    run.onText(/iter 8\//, () => run.kill("SIGINT"));
    run.onText(/SIGINT/, () => run.kill("SIGINT"));
    const { code, signal, stderr } = await run.ended;
    expect(code ?? signal, stderr).toBeOneOf([130, "SIGINT"]);
    expect(stderr).not.toContain("to go on");
    await verifyCheckpoint((await new CheckpointFolder(workDir).named("last"))!);
  });

  it("ends like the run that was never stopped", async () => {
    await finishAndCompare(plan, workDir, reference);
  });
});
