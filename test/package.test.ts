import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pack, shell } from "./helpers/packed.ts";

// What the package does: package.long.ts.

const temporary = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-pack-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

it("a checkout that was never built packs what it is built to", async () => {
  const tarball = await pack(temporary);
  const { stdout } = await shell(`tar -tf ${JSON.stringify(tarball)}`, temporary);
  const files = stdout.split("\n").map((file) => file.replace(/^package\//, ""));
  expect(files).toEqual(
    expect.arrayContaining([
      "dist/tools/segfuse.js",
      "dist/src/index.js",
      "dist/src/index.d.ts",
      "dist/src/datasets/workers/worker.js",
      "configs/table1/gff.yaml",
      "docs/checkpoints.md",
    ]),
  );
  expect(files.filter((file) => /^(test|tools|src\/(?!engine\/setup|registry))/.test(file))).toEqual([
    "tools/bin.mjs",
  ]);
}, 600_000);

it("a package that was packed without being built says so", async () => {
  const command = "npm pack --silent --ignore-scripts --pack-destination .. && tar -xf ../*.tgz -C ..";
  const folder = join(temporary, "unbuilt");
  mkdirSync(join(folder, "checkout/tools"), { recursive: true });
  for (const file of ["package.json", "tools/bin.mjs"]) cpSync(file, join(folder, "checkout", file));
  await shell(command, join(folder, "checkout"));
  const run = shell("node package/tools/bin.mjs --version", folder);
  await expect(run).rejects.toThrow(/this package was packed without being built\n.*--ignore-scripts=false/);
});
