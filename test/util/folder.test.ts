import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { makeFolder } from "../../src/util/folder.ts";

const root = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-folder-"));
afterAll(() => rmSync(root, { recursive: true }));

it("makes a folder with those above it, and leaves one that is there", () => {
  const folder = join(root, "a/b/c");
  makeFolder(folder);
  makeFolder(folder);
  expect(statSync(folder).isDirectory()).toBe(true);
  symlinkSync(folder, join(root, "link"));
  makeFolder(join(root, "link/d"));
  expect(existsSync(join(folder, "d"))).toBe(true);
});

it("passes on what is in the way", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => makeFolder(join(root, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(join(root, "file/below"))).toThrow("ENOTDIR");
  symlinkSync(join(root, "nowhere"), join(root, "dangling"));
  expect(() => makeFolder(join(root, "dangling"))).toThrow("EEXIST");
});

// mkdir's own `recursive` goes on for ever there.
it.runIf(process.platform === "linux")("ends where the system makes no folder", () => {
  expect(() => makeFolder("/proc/segfuse/below")).toThrow("ENOENT");
});
