import type { StdioOptions } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { CheckpointFolder, verifyCheckpoint } from "../../src/checkpoints/folder.ts";
import { segfuseProgram } from "../helpers/built.ts";
import { compareRuns, RunProcess, trainArguments, trainProcess, type Plan } from "../helpers/killed_run.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// One run that is stopped in every way that there is, and goes on after each: in the end it is the run that never was.

const tiny = new TinyRun();
const plan: Plan = { tiny, iterations: 60 };
const reference = tiny.path("reference");
const workDir = tiny.path("stopped");
const npm = ["npm", "run", "--silent", "segfuse", "--"];
const terminal = ["python3", fileURLToPath(new URL("../helpers/terminal.py", import.meta.url))];
/**
 * A session of its own, of which no process was started with `nohup`, whatever the tests were started with; what npm
 * starts compiles from source, threads too, as it does for the user.
 */
const alone = {
  detached: true,
  env: { _: "", npm_package_name: "", npm_lifecycle_event: "", SEGFUSE_BUILT: "" },
};
const onTerminal = { ...alone, stdio: ["pipe", "pipe", "pipe"] as StdioOptions };

const set = ["evaluation.interval=20", "checkpoint.interval=10"];
const whole = trainProcess(plan, reference, ...set);
afterAll(() => tiny.remove());

const train = (folder = workDir, ...more: string[]) => trainArguments(plan, folder, ...set, ...more);
const said = (stderr: string) =>
  stderr
    .slice(stderr.search(/^(SIG|npm has)/m))
    .replaceAll(tiny.folder, "FOLDER")
    .replaceAll(/ --set [\w.]+=\S+/g, "")
    .replaceAll(/^(iter|val|evaluate) .*\n/gm, "")
    .replaceAll(/\d+( iterations)/g, "#$1");

/** The newest checkpoint's iteration; 0 before the first. */
async function stored(): Promise<number> {
  const last = await new CheckpointFolder(workDir).named("last");
  return last === null ? 0 : (await verifyCheckpoint(last)).iteration;
}

/** Waits for another update's record: the run goes on. */
async function goesOn(run: RunProcess): Promise<void> {
  const log = `${workDir}/run.jsonl`;
  const count = () =>
    existsSync(log) ? (readFileSync(log, "utf8").match(/"event":"train"/g)?.length ?? 0) : 0;
  for (const before = count(); count() === before;) {
    expect(run.child.exitCode || null, run.stderr).toBeNull();
    await sleep(20);
  }
}

/** One letter of the system's: R runs, S sleeps, T is stopped; null where it has ended. */
function processState(pid: number): string | null {
  if (!existsSync(`/proc/${pid}/stat`)) return null;
  return / ([A-Z]) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))![1]!;
}

describe("a run that is told to stop", () => {
  it("stops where SIGTERM meets npm", async () => {
    const run = new RunProcess([...npm, ...train()], alone);
    await goesOn(run);
    run.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    expect(said(stderr)).toMatchInlineSnapshot(`
      "SIGTERM: finishing the iteration and storing a checkpoint (once more: end at once)
      stopped, with a checkpoint after # iterations; to go on:
        npm run segfuse -- train FOLDER/tiny.yaml --work-dir FOLDER/stopped --resume
      "
    `);
    expect(code).toBe(143);
    expect(await stored()).toBeGreaterThan(0);
  });

  it("stops where SIGHUP meets it, and SIGTERM its whole group at the same time", async () => {
    const before = await stored();
    const run = new RunProcess([...segfuseProgram, ...train()], alone);
    await goesOn(run);
    run.kill("SIGHUP");
    process.kill(-run.child.pid!, "SIGTERM");
    const { code, stderr } = await run.ended;
    expect(said(stderr).replaceAll(/^SIG\w+/gm, "SIGNAL")).toMatchInlineSnapshot(`
      "SIGNAL: finishing the iteration and storing a checkpoint (once more: end at once)
      stopped, with a checkpoint after # iterations; to go on:
        npx segfuse train FOLDER/tiny.yaml --work-dir FOLDER/stopped --resume
      "
    `);
    expect(code).toBeOneOf([129, 143]);
    expect(await stored()).toBeGreaterThan(before);
  });

  it("stops on Ctrl-C, which its terminal sends to npm and to it and npm sends once more", async () => {
    const before = await stored();
    const run = new RunProcess([...terminal, ...npm, ...train()], onTerminal);
    await run.told(/train .* loss/);
    run.child.stdin!.write("key 03\n");
    const { stderr } = await run.ended;
    expect(said(stderr).replaceAll("\r\n", "\n").replace(/^\^C/m, "")).toMatchInlineSnapshot(`
      "
      "
    `);
    // No mode of the terminal was changed that a killed run would leave: no cursor hidden, no lines that do not wrap.
    expect(stderr).not.toMatch(/\p{Cc}\[\?\d+l/u);
    expect(await stored()).toBeGreaterThan(before);
  });

  it("stops where its terminal is closed, in which nothing can be told any more", async () => {
    const before = await stored();
    const run = new RunProcess([...terminal, ...npm, ...train()], onTerminal);
    await run.told(/train .* loss/);
    run.child.stdin!.write("close\n");
    const { stderr } = await run.ended;
    // npm itself dies of the signal.
    expect(stderr).toContain("command ended with -1\n");
    expect(stderr).toContain("orphan ended with 129\n");
    expect(await stored()).toBeGreaterThan(before);
  });

  it("stops where the shell between npx and it is gone, which SIGTERM ends", async () => {
    const before = await stored();
    const app = tiny.path("app");
    mkdirSync(`${app}/node_modules/.bin`, { recursive: true });
    const program = segfuseProgram.map((word) => `'${word}'`).join(" ");
    writeFileSync(`${app}/node_modules/.bin/segfuse`, `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
    writeFileSync(`${app}/package.json`, "{}");
    const run = new RunProcess(["npx", "segfuse", ...train()], { ...alone, cwd: app });
    await goesOn(run);
    run.kill("SIGTERM");
    const { stderr } = await run.ended;
    expect(said(stderr)).toMatchInlineSnapshot(`
      "npm has ended: finishing the iteration and storing a checkpoint (once more: end at once)
      stopped, with a checkpoint after # iterations; to go on:
        npx segfuse train FOLDER/tiny.yaml --work-dir FOLDER/stopped --resume
      "
    `);
    expect(await stored()).toBeGreaterThan(before);
  });

  it("ends at once on SIGQUIT, and what was stored stays", async () => {
    const before = await stored();
    const run = new RunProcess(
      ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh", ...segfuseProgram, ...train()],
      alone,
    );
    await goesOn(run);
    run.kill("SIGQUIT");
    const { signal, stderr } = await run.ended;
    expect(signal, stderr).toBe("SIGQUIT");
    expect(await stored()).toBe(before);
  });

  it("goes on without its parent, with nobody who reads and no room for its log", async () => {
    const before = await stored();
    const command = '"$@" 2> /dev/full & echo $!';
    const stdio = ["ignore", "pipe", "ignore"] as StdioOptions;
    const run = new RunProcess(["sh", "-c", command, "sh", ...segfuseProgram, ...train()], {
      ...alone,
      stdio,
    });
    await run.told(/\d+\n/);
    const pid = Number(run.stderr);
    run.child.stdout!.destroy();
    await goesOn(run);
    await goesOn(run);
    process.kill(pid, "SIGTERM");
    while (processState(pid) !== null && processState(pid) !== "Z") await sleep(20);
    expect(await stored()).toBeGreaterThan(before);
  });

  it("goes on after it was stopped for a while, and where its terminal is closed under nohup, to the same end", async () => {
    // A leader of the session that starts a group of its own for the run, as the system lets no process be stopped that
    // nobody can wake; it never waits for it, so that the run's end is seen however early that comes.
    const leader = [
      "import os, signal, subprocess, sys",
      "quiet = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}",
      "job = subprocess.Popen(sys.argv[1:], preexec_fn=os.setpgrp, **quiet)",
      "print('job', job.pid, flush=True)",
      "signal.pause()",
    ].join("\n");
    const run = new RunProcess(
      [...terminal, "python3", "-c", leader, "nohup", ...npm, ...train()],
      onTerminal,
    );
    await run.told(/job \d+/);
    const job = Number(/job (\d+)/.exec(run.stderr)![1]);
    await goesOn(run);
    process.kill(-job, "SIGTSTP");
    while (processState(job) !== "T") await sleep(20);
    process.kill(-job, "SIGCONT");
    await goesOn(run);
    run.child.stdin!.write("close\n");
    const { stderr } = await run.ended;
    expect(stderr.match(/^\w+ ended with .*/gm), stderr).toContain("orphan ended with 0");
    expect((await whole.ended).code).toBe(0);
    compareRuns(workDir, reference);
  });
});
