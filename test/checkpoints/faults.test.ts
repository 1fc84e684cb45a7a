import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckpointFolder, verifyCheckpoint } from "../../src/checkpoints/folder.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { silentLogger } from "../../src/util/logger.ts";
import { segfuseProgram } from "../helpers/built.ts";
import { useEngine } from "../helpers/engine.ts";
import { HookRuns } from "../helpers/hook_run.ts";
import { MemoryLogger } from "../helpers/tiny_run.ts";

const runs = new HookRuns();
const path = (name: string) => runs.tiny.path(name);
const isRoot = process.getuid?.() === 0;
const mounted: string[] = [];

beforeAll(async () => {
  await useEngine();
  await runs.start("whole");
});
afterAll(() => {
  for (const folder of mounted) spawnSync("umount", [folder]);
  runs.remove();
});

/** A copy of the whole run, which has checkpoints of iterations 4 and 6. */
function copy(name: string): string {
  cpSync(path("whole"), path(name), { recursive: true });
  return path(name);
}

function flipBit(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at]! ^= 4;
  writeFileSync(file, bytes);
}

/** Writes until nothing more fits. */
function fill(disk: string): true {
  const file = openSync(`${disk}/rest`, "w");
  try {
    for (;;) writeSync(file, new Uint8Array(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    closeSync(file);
  }
  return true;
}

function expectSameEnd(name: string): void {
  for (const file of ["model.safetensors", "optimizer.safetensors"]) {
    const end = (run: string) => runs.bytes(run, "checkpoints/iter_6", file);
    expect(end(name).equals(end("whole")), file).toBe(true);
  }
}

const faults: [string, (checkpoint: string) => void][] = [
  ["a bit of the weights", (folder) => flipBit(`${folder}/model.safetensors`, 20_000)],
  ["a bit of the optimiser's state", (folder) => flipBit(`${folder}/optimizer.safetensors`, 20_000)],
  ["a digit of the state", (folder) => flipBit(`${folder}/state.json`, 60)],
  ["the end of the weights", (folder) => truncateSync(`${folder}/model.safetensors`, 5000)],
  ["the end of the state", (folder) => truncateSync(`${folder}/state.json`, 300)],
];

describe("a damaged checkpoint", () => {
  it.each(faults)("is named and the one before is used: %s", async (what, damage) => {
    const name = `damaged ${what}`;
    damage(`${copy(name)}/checkpoints/iter_6`);
    const logger = new MemoryLogger();
    await runs.start(name, [], { resume: true, logger });
    const told = logger.lines.filter((line) => /damaged|going on/.test(line)).join("\n");
    expect(
      told
        .replaceAll(path(name), "RUN")
        .replaceAll(/[0-9a-f]{64}/g, "…")
        .replaceAll(/\d+ bytes/g, "# bytes")
        .replace(/json: (?!its values).*/, "json: not readable"),
    ).toMatchSnapshot();
    expectSameEnd(name);
    // what the first run wrote of the updates that were made again is not there twice
    const lines = runs.log(name).filter(({ event }) => event === "train" || event === "evaluate");
    expect(lines.map(({ event, iteration }) => `${event} ${iteration}`)).toEqual([
      "train 2",
      "evaluate 3",
      "train 4",
      "train 6",
      "evaluate 6",
    ]);
  });

  it("is an error where it was asked for itself", async () => {
    const checkpoint = `${copy("asked")}/checkpoints/iter_6`;
    flipBit(`${checkpoint}/model.safetensors`, 20_000);
    const loaded = await runs.tiny.load();
    const inputs = { loaded, registry: runs.tiny.registry, logger: silentLogger };
    const told = [
      await runs.complaint(testCheckpoint({ ...inputs, checkpoint })),
      await runs.complaint(runs.start("from", [], { initFrom: checkpoint })),
      await runs.complaint(runs.start("on", [], { resumeFrom: path("asked") })),
    ].map((text) => text.replaceAll(/[0-9a-f]{64}/g, "…"));
    expect(new Set(told).size).toBe(1);
    expect(told[0]).toMatchInlineSnapshot(`
      "SEGFUSE_CHECKPOINT_DAMAGED: a checkpoint is not what was written
        at: FOLDER/asked/checkpoints/iter_6/model.safetensors
        expected: SHA-256 …
        found: SHA-256 …
        try: another checkpoint in FOLDER/asked/checkpoints; train --resume goes on from the newest whole one"
    `);
    expect(readdirSync(runs.tiny.folder)).not.toContain("from");
  });

  it("stops a run that has no whole one", async () => {
    const folder = `${copy("all")}/checkpoints`;
    for (const name of ["iter_4", "iter_6"]) truncateSync(`${folder}/${name}/optimizer.safetensors`, 10);
    const told = await runs.complaint(runs.start("all", [], { resume: true }));
    expect(told).toMatchInlineSnapshot(`
      "SEGFUSE_CHECKPOINT_DAMAGED: no checkpoint of the run is whole
        at: FOLDER/all/checkpoints
        found: iter_6, iter_4, all damaged
        try: start again in another --work-dir; init_from may still read a weight file"
    `);
  });
});

describe("another run's checkpoint", () => {
  it("is refused, with the keys that differ", async () => {
    const set = ["model.neck.type=none", "seed=4", "schedule.iterations=9", "evaluation.interval=2"];
    const told = [
      await runs.complaint(runs.start("whole", set, { resume: true })),
      await runs.complaint(runs.start("other", ["data.train.split=val"], { resumeFrom: path("whole") })),
    ].map((text) => text.replaceAll(/[0-9a-f]{16}/g, "…"));
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_RESUME_MISMATCH: the checkpoint is of another run
        at: FOLDER/whole/checkpoints/iter_6
        expected: model.neck.type addition, schedule.iterations 6, seed 3
        found: model.neck.type none, schedule.iterations 9, seed 4
        try: the config that it was trained with; init_from to start a new run from its weights; or --allow-change model.neck.type --allow-change schedule.iterations to go on all the same
      SEGFUSE_RESUME_MISMATCH: the checkpoint is of another run
        at: FOLDER/whole/checkpoints/iter_6
        expected: data.train.split train, data.train …
        found: data.train.split val, data.train … (the samples)
        try: the config that it was trained with; init_from to start a new run from its weights; or --allow-change data.train.split --allow-change data.train to go on all the same"
    `);
  });

  it("may go on all the same where that is asked for, and what may differ is told", async () => {
    const logger = new MemoryLogger();
    const set = ["schedule.iterations=8", "evaluation.interval=4"];
    await runs.start("longer", set, {
      resumeFrom: path("whole/checkpoints/iter_4"),
      allowChange: ["schedule.*"],
      logger,
    });
    expect(logger.lines.filter((line) => line.startsWith("warning")).join("\n")).toMatchInlineSnapshot(`
      "warning: evaluation.interval was 3 up to here, from here on it is 4
      warning: schedule.iterations was 6 up to here, from here on it is 8"
    `);
    expect(readdirSync(path("longer/checkpoints")).sort()).toContain("iter_8");
  });

  it("brings its best checkpoint along into another folder", async () => {
    await runs.start("along", ["evaluation.interval=3"], { resumeFrom: path("whole/checkpoints/iter_4") });
    const best = await new CheckpointFolder(path("along")).named("best");
    await verifyCheckpoint(best!);
  });
});

describe("a disk that takes no more", () => {
  it("ends the run with what was whole still there: a limit on the size of files", async () => {
    const folder = copy("limited");
    for (const name of ["iter_6", "last"]) spawnSync("rm", ["-r", `${folder}/checkpoints/${name}`]);
    const size = readFileSync(`${folder}/checkpoints/iter_4/model.safetensors`).length;
    const limit = Math.floor(size / 512) - 1;
    const command = `ulimit -f ${limit}; exec "$@"`;
    const args = [...segfuseProgram, "train", runs.tiny.config, "--work-dir", folder, "--resume"];
    const { status, stderr } = spawnSync("sh", ["-c", command, "sh", ...args], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr.slice(stderr.indexOf("SEGFUSE_")).replaceAll(folder, "RUN")).toMatchInlineSnapshot(`
      "SEGFUSE_CHECKPOINT_WRITE: a checkpoint could not be written
        at: RUN/checkpoints/iter_6
        found: EFBIG: file too large
        try: let files there be larger (ulimit -f), then --resume: the checkpoints before this one are whole
      "
    `);
    expect(readdirSync(`${folder}/checkpoints`).sort()).toEqual(["best", "iter_4", "last"]);
    await runs.start("limited", [], { resume: true });
    expectSameEnd("limited");
  });

  /** Trains with its checkpoints on a small disk of their own; `change` is called once the first one is whole, until it says true. */
  async function onDisk(name: string, size: string, change: (disk: string) => boolean): Promise<string> {
    const disk = `${path(name)}/checkpoints`;
    mkdirSync(disk, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", disk]);
    mounted.push(disk);
    let isChanged = false;
    const told = await runs.complaint(
      runs.start(name, ["schedule.iterations=60", "evaluation.interval=100"], {
        resume: true,
        onProgress: () => {
          if (isChanged || !existsSync(`${disk}/last`)) return;
          isChanged = change(disk);
        },
      }),
    );
    await verifyCheckpoint((await new CheckpointFolder(path(name)).named("last"))!);
    return told.replaceAll(/[\d.]+ MiB|iter_\d+(\.\S*)?/g, "#");
  }

  it.runIf(isRoot)("a full disk", async () => {
    const told = await onDisk("full", "8m", fill);
    // A checkpoint that was being written meets the end of the disk, the next one is not begun.
    expect(told.split("\n")[0]).toBe("SEGFUSE_CHECKPOINT_WRITE: a checkpoint could not be written");
    expect(told).toMatch(/found: (# free on the disk|ENOSPC: no space left on device)\n/);
    expect(readdirSync(path("full/checkpoints")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it.runIf(isRoot)("a disk that can only be read any more", async () => {
    // Refused while a checkpoint is being written.
    const freeze = (disk: string) => spawnSync("mount", ["-o", "remount,ro", disk]).status === 0;
    const told = await onDisk("frozen", "8m", freeze);
    expect(told).toMatchInlineSnapshot(`
      "SEGFUSE_CHECKPOINT_WRITE: a checkpoint could not be written
        at: FOLDER/frozen/checkpoints/#
        found: EROFS: read-only file system
        try: give rights there, then --resume: the checkpoints before this one are whole"
    `);
    const set = ["schedule.iterations=60", "evaluation.interval=100"];
    const again = await runs.complaint(runs.start("frozen", set, { resume: true }));
    expect(again).toContain("SEGFUSE_CHECKPOINT_WRITE");
  });

  it.skipIf(isRoot)("a folder that can only be read", async () => {
    const folder = copy("locked");
    chmodSync(folder, 0o555);
    const told = await runs.complaint(
      runs.start("locked", [], { resumeFrom: path("whole/checkpoints/iter_4") }),
    );
    chmodSync(folder, 0o755);
    expect(told).toContain("SEGFUSE_WORK_DIR: the output folder cannot be used");
  });
});
