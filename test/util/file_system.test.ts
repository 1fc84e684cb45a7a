import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckpointFolder, verifyCheckpoint } from "../../src/checkpoints/folder.ts";
import { program, segfuseProgram } from "../helpers/built.ts";
import { RunProcess } from "../helpers/killed_run.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// Folders whose file system refuses what some network and FUSE mounts refuse: answers of the C library itself.

const tiny = new TinyRun();
const root = tiny.path("mount");
const helper = (name: string) => fileURLToPath(new URL(`../helpers/${name}`, import.meta.url));
const refusing = { LD_PRELOAD: tiny.path("refusing.so"), REFUSE_BELOW: root };
let outcome: Record<string, unknown> = {};

beforeAll(() => {
  mkdirSync(root);
  const flags = ["-std=c++17", "-shared", "-fPIC", "-o", refusing.LD_PRELOAD];
  execFileSync(process.env.CXX ?? "g++", [...flags, helper("refusing.cc"), "-ldl"]);
  const [node, child] = program("test/helpers/refused_child.ts");
  const text = execFileSync(node, [child, root], {
    env: { ...process.env, ...refusing },
    encoding: "utf8",
  });
  outcome = JSON.parse(text) as typeof outcome;
});
afterAll(() => tiny.remove());

describe("a file", () => {
  it.each(["no fsync", "the kernel's own number", "no rename over a file", "a file that is open"])(
    "is written all the same: %s",
    (name) => {
      expect(outcome[name]).toEqual(["second", "report.json"]);
    },
  );

  it("is refused where it would be lost, and only want of space is told as such", () => {
    const names = ["a broken disk", "a full disk", "a full share", "a rename that fails"];
    expect(names.map((name) => outcome[name]).join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_WRITE: a file cannot be written
        at: ROOT/a_broken_disk/report.json
        found: EIO: i/o error
        try: name another place
      SEGFUSE_WRITE: a file cannot be written
        at: ROOT/a_full_disk/report.json
        found: ENOSPC: no space left on device
        try: make room there, or name another place
      SEGFUSE_WRITE: a file cannot be written
        at: ROOT/a_full_share/report.json
        found: EDQUOT: disk quota exceeded
        try: make room there, or name another place
      SEGFUSE_WRITE: a file cannot be written
        at: ROOT/a_rename_that_fails/report.json
        found: EIO: i/o error
        try: name another place"
    `);
  });
});

describe("a checkpoint", () => {
  it.each([
    ["checkpoints without fsync", ["fsync"]],
    ["checkpoints without renames", ["rename"]],
    ["checkpoints on layers", ["rename"]],
    ["checkpoints without numbers of blocks", []],
  ])("is whole all the same: %s", (name, told) => {
    expect(outcome[name]).toEqual({ told, left: ["best", "iter_2", "last"] });
  });

  it("is whole where an older one cannot be removed", () => {
    expect(outcome["checkpoints that somebody reads"]).toMatchObject({ told: ["removal"] });
  });

  it("is refused where it would be lost, and only want of space is told as such", () => {
    const names = ["checkpoints on a broken disk", "checkpoints on a full disk"];
    expect(names.map((name) => outcome[name]).join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_CHECKPOINT_WRITE: a checkpoint could not be written
        at: ROOT/checkpoints_on_a_broken_disk/checkpoints/iter_1
        found: EIO: i/o error
        try: see that the folder can be written, then --resume: the checkpoints before this one are whole
      SEGFUSE_CHECKPOINT_WRITE: a checkpoint could not be written
        at: ROOT/checkpoints_on_a_full_disk/checkpoints/iter_1
        found: ENOSPC: no space left on device
        try: make room there, then --resume: the checkpoints before this one are whole"
    `);
  });

  it("is told of once, however many there are", async () => {
    const workDir = `${root}/run`;
    const run = new RunProcess([...segfuseProgram, "train", tiny.config, "--work-dir", workDir], {
      env: { ...refusing, REFUSE: "fsync=22 rename=1 link=1 statfs=0" },
    });
    const { code, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
    expect(stderr.match(/^warning: .*refuses.*/gm)!.join("\n")).toMatchInlineSnapshot(`
      "warning: the work folder's file system refuses fsync (EINVAL: invalid argument): checkpoints are written without it, and a loss of power may damage the newest ones
      warning: the work folder's file system refuses rename (EPERM: operation not permitted): checkpoints are copied into their place, and one that a kill interrupts is damaged; --resume passes over such"
    `);
    for (const pointer of ["last", "best"] as const)
      await verifyCheckpoint((await new CheckpointFolder(workDir).named(pointer))!);
  });
});

it("free space is not known where the file system does not tell", () => {
  expect(outcome).toMatchObject({ "no blocks": null, "no answer": null });
});

it.each(["an engine on layers", "an engine without renames"])(
  "a set-up puts its work in place: %s",
  (name) => {
    expect(outcome[name]).toEqual(["second", "second"]);
  },
);
