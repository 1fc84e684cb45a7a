import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filesBelow } from "../../src/datasets/folder_walk.ts";
import { openDataset } from "../../src/datasets/loader.ts";
import { complaint, dataConfig, folderOptions, put } from "./support.ts";

// Links and names, beside what the system's `find -L` makes of them.

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-walk-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const walk = (folder = "d") => filesBelow(`${root}/${folder}`, (path) => path.endsWith(".png"));

/** What `find -L` lists, and whether it met a loop. */
function find(folder = "d"): { files: string[]; loops: boolean } {
  const hidden = ["-name", ".*", "!", "-name", "."];
  const args = ["-L", ".", "(", ...hidden, ")", "-prune", "-o", "-type", "f", "-name", "*.png", "-print"];
  const { stdout, stderr } = spawnSync("find", args, {
    cwd: `${root}/${folder}`,
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  const files = stdout.split("\n").filter((name) => name !== "");
  return { files: files.map((name) => name.slice(2)).sort(), loops: stderr.includes("loop") };
}

function link(target: string, path: string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  symlinkSync(target, join(root, path));
}

describe("links", () => {
  it("are followed, to files and folders, beside each other and one behind the other", async () => {
    for (const name of [
      "d/a.png",
      "d/sub/b.png",
      "e/c.png",
      "e/f/g.png",
      "d/.hidden/h.png",
      "d/._a.png",
      "d/n.txt",
    ])
      put(`${root}/${name}`, "");
    link("../e", "d/once");
    link("../e", "d/twice");
    link("../../e/c.png", "d/sub/file.png");
    link(`${root}/d/once`, "d/behind");
    mkdirSync(`${root}/d/folder.png`);
    const expected = find();
    expect(expected.loops).toBe(false);
    expect(expected.files).toHaveLength(9);
    expect((await walk()).sort()).toEqual(expected.files);
  });

  it.each<[name: string, links: [target: string, path: string][], told: string]>([
    ["to the folder it lies in", [[".", "d/sub/again"]], "d/sub/again"],
    ["to the folder above", [["..", "d/sub/again"]], "d/sub/again"],
    ["to what the walk began in", [["../../d", "d/sub/again"]], "d/sub/again"],
    ["to a folder above all", [["../..", "d/sub/again"]], "d/sub/again"],
    ["by way of another folder", [["../e", "d/other"], ["../d", "e/back"]], "d/other/back"], // prettier-ignore
    ["between two folders outside", [["../e", "d/other"], ["../f", "e/on"], ["../e", "f/back"]], "d/other/on/back"], // prettier-ignore
  ])("that lead back are told: %s", async (_, links, told) => {
    put(`${root}/d/sub/a.png`, "");
    put(`${root}/e/b.png`, "");
    for (const [target, path] of links) link(target, path);
    expect(find().loops).toBe(true);
    const text = await complaint(walk, root);
    expect(text).toContain("SEGFUSE_DATA_FILE: a link leads back to a folder that it lies in\n");
    expect(text).toContain(`at: ROOT/${told}\n`);
  });

  it("that lead nowhere are told where a sample or a folder is meant", async () => {
    put(`${root}/d/a.png`, "");
    link("nothing", "d/readme.txt");
    expect(await walk()).toEqual(["a.png"]);
    link("/mnt/elsewhere/b.png", "d/b.png");
    const texts = [await complaint(walk, root)];
    rmSync(`${root}/d/b.png`);
    link("/mnt/elsewhere", "d/sequence");
    texts.push(await complaint(walk, root));
    rmSync(`${root}/d/sequence`);
    link("self", "d/self");
    texts.push(await complaint(walk, root));
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_FILE: a link leads nowhere
        at: ROOT/d/b.png
        found: a link to /mnt/elsewhere/b.png
        try: make what it leads to available (a disk that is not mounted?), or remove the link
      SEGFUSE_DATA_FILE: a link leads nowhere
        at: ROOT/d/sequence
        found: a link to /mnt/elsewhere
        try: make what it leads to available (a disk that is not mounted?), or remove the link
      SEGFUSE_DATA_FILE: a link leads to itself
        at: ROOT/d/self
        found: a link to self
        try: make what it leads to available (a disk that is not mounted?), or remove the link"
    `);
  });
});

describe("names that are not UTF-8", () => {
  const latin1 = (name: string) => Buffer.from(`${root}/${name}`, "latin1");

  it("are told with their bytes, for samples and folders", async () => {
    put(`${root}/d/a.png`, "");
    writeFileSync(latin1("d/caf\xe9.txt"), "");
    expect(await walk()).toEqual(["a.png"]);
    writeFileSync(latin1("d/caf\xe9.png"), "");
    const texts = [await complaint(walk, root)];
    rmSync(latin1("d/caf\xe9.png"));
    mkdirSync(latin1("d/stra\xdfe"));
    texts.push(await complaint(walk, root));
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_FILE: a file's name is not UTF-8
        at: ROOT/d
        found: caf\\xE9.png
        try: rename it; for many: convmv -f latin1 -t utf8 -r --notest FOLDER (in the encoding that they have)
      SEGFUSE_DATA_FILE: a file's name is not UTF-8
        at: ROOT/d
        found: stra\\xDFe
        try: rename it; for many: convmv -f latin1 -t utf8 -r --notest FOLDER (in the encoding that they have)"
    `);
  });

  it("reach the user through a data set", async () => {
    put(`${root}/masks/train/a.png`, "");
    put(`${root}/images/train/a.png`, "");
    writeFileSync(latin1("images/train/caf\xe9.PNG"), "");
    const config = dataConfig({ type: "folder", ...folderOptions, root });
    expect(await complaint(() => openDataset(config, "train"), root)).toContain("found: caf\\xE9.PNG");
  });
});
