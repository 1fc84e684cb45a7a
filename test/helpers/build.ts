import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as esbuild from "esbuild";
import type { TestProject } from "vitest/node";
import { builtFolder, root } from "./built.ts";

// Vitest calls this once, before all tests: src, tools and this folder's programs (`*_child.ts`) as plain JavaScript,
// laid out as `npm run build` lays out dist/. A process or thread that starts from there needs half the time, or less,
// of one that compiles TypeScript as it goes, and tests start some hundreds. No types are checked.

export default async function setup(project: TestProject): Promise<void> {
  await buildAll();
  project.onTestsRerun(buildAll);
}

async function buildAll(): Promise<void> {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["src/**/*.ts", "tools/**/*.ts", "test/helpers/*_child.ts"],
    outdir: builtFolder,
    outbase: ".",
    format: "esm",
    platform: "node",
    target: "node20",
    // As tsx compiles: classes keep their names.
    keepNames: true,
    bundle: true,
    plugins: [oneByOne],
    write: false,
  });
  const wanted = new Set(outputFiles.map(({ path }) => relative(builtFolder, path)));
  for (const { path, contents } of outputFiles) writeChanged(path, contents);
  const entries = readdirSync(builtFolder, { recursive: true, encoding: "utf8" });
  for (const name of entries.filter((name) => name.endsWith(".js") && !wanted.has(name)))
    rmSync(join(builtFolder, name), { force: true });
}

/** Every module a file of its own, with `.js` where it imports `.ts`: what bundling leaves outside it may rename. */
const oneByOne: esbuild.Plugin = {
  name: "one by one",
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ kind, path }) =>
      kind === "entry-point"
        ? undefined
        : { path: /^\.\.?\//.test(path) ? path.replace(/\.ts$/, ".js") : path, external: true },
    );
  },
};

/** Whole or not at all: another vitest may be running from the same folder. */
function writeChanged(path: string, contents: Uint8Array): void {
  try {
    if (readFileSync(path).equals(contents)) return;
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  const temporary = `${path}.${randomUUID()}.tmp`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}
