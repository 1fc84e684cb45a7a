import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { segfuseProgram } from "../helpers/built.ts";
import { segfuse } from "../helpers/cli.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// Outputs below a file: no permission bits are in the way of root.

const run = new TinyRun();
const weights = run.path("weights.safetensors");
beforeAll(async () => {
  writeFileSync(run.path("file"), "kept");
  await segfuse(["init", run.config, "--out", weights]);
});
afterAll(() => run.remove());

const commands: [name: string, ...args: string[]][] = [
  ["graph", run.config, "--out", run.path("file/graph.svg")],
  ["schema", "config", "--out", run.path("file/config.json")],
  ["init", run.config, "--out", run.path("file/weights.safetensors")],
  ["convert", weights, run.path("file/converted.safetensors")],
  ["new", "neck", "mine", "--dir", run.path("file/mine")],
  ["predict", run.config, weights, `${run.data}/images/val/0.png`, "--out", run.path("file/maps")],
];

it("names the output that cannot be written, whichever the command", async () => {
  const before = readdirSync(run.folder, { recursive: true });
  const told = await Promise.all(
    commands.map(async (args) => {
      const { code, stdout, stderr } = await segfuse(args);
      expect(stdout).toBe("");
      return `${args[0]}: ${code}\n${stderr.replaceAll(run.folder, "ROOT")}`;
    }),
  );
  expect(told.join("\n")).toMatchInlineSnapshot(`
    "graph: 1
    SEGFUSE_WRITE: a file cannot be written
      at: ROOT/file/graph.svg
      found: EEXIST: file already exists
      try: name another place

    schema: 1
    SEGFUSE_WRITE: a file cannot be written
      at: ROOT/file/config.json
      found: EEXIST: file already exists
      try: name another place

    init: 1
    SEGFUSE_WORK_DIR: the output folder cannot be used
      at: ROOT/file
      found: ROOT/file is a file
      try: another output folder

    convert: 1
    SEGFUSE_WRITE: a file cannot be written
      at: ROOT/file/converted.safetensors
      found: EEXIST: file already exists
      try: name another place

    new: 1
    SEGFUSE_WRITE: a file cannot be written
      at: ROOT/file/mine
      found: ENOTDIR: not a directory
      try: name another place

    predict: 1
    SEGFUSE_WORK_DIR: the output folder cannot be used
      at: ROOT/file/maps
      found: ROOT/file is a file
      try: another output folder
    "
  `);
  expect(readdirSync(run.folder, { recursive: true })).toEqual(before);
}, 60_000);

it("names a run's first file where the disk takes no more", () => {
  const args = [...segfuseProgram, "train", run.config, "--work-dir", run.path("w")];
  const { status, stderr } = spawnSync("sh", ["-c", 'ulimit -f 1; exec "$@"', "sh", ...args], {
    encoding: "utf8",
  });
  expect(stderr.slice(stderr.indexOf("SEGFUSE_")).replaceAll(run.folder, "ROOT")).toMatchInlineSnapshot(`
    "SEGFUSE_WRITE: a file cannot be written
      at: ROOT/w/config.yaml
      found: EFBIG: file too large
      try: let files there be larger (ulimit -f), or name another place
    "
  `);
  expect(status).toBe(1);
});

it("ends as it would have where nobody reads what it says", () => {
  const command = `"$@" list neck gff | true; "$@" list nonsense 2>&1 | true`;
  const script = command.replaceAll("| true", "| true; echo ${PIPESTATUS[0]}");
  const { stdout } = spawnSync("bash", ["-c", script, "bash", ...segfuseProgram], { encoding: "utf8" });
  expect(stdout).toBe("0\n2\n");
});

it("says so where a result cannot be written", () => {
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", 'exec "$@" > /dev/full', "sh", ...segfuseProgram, "list", "neck", "gff"],
    { encoding: "utf8" },
  );
  expect(stderr).toMatchInlineSnapshot(`
    "SEGFUSE_WRITE: a file cannot be written
      at: standard output
      found: ENOSPC: no space left on device
      try: make room there, or name another place
    "
  `);
  expect(status).toBe(1);
});
