import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openTrainLoader } from "../../src/datasets/loader.ts";
import { resolvePlugin } from "../../src/registry/plugin_path.ts";
import { Files } from "../config/files.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// Where plug-ins lie, and as what their files are read.

/** A transform that keeps the copy of TensorFlow.js that it was given; `factor` comes from a file beside it. */
const transform = (type: string, factor = "./factor.js") => `
import { defineTransform, tf, Type } from "segfuse";
import { factor } from "${factor}";
const by = Type.Number({ default: 1, description: "a factor" });
const apply = ({ image, ...sample }, by) => ({ ...sample, image: image.map((value) => value * by + factor) });
const schema = Type.Object({ by });
const create = ({ by }) => ({ apply: (sample) => apply(sample, by) });
export default { ...defineTransform({ type: "${type}", description: "multiplies, and adds", schema, create }), tf };
`;
const typed = (type: string) =>
  transform(type)
    .replace(
      "const create = ({ by })",
      "enum Default { By = 1 }\nconst create = ({ by = Default.By }: { by: number })",
    )
    .replace("({ image, ...sample }, by)", "({ image, ...sample }: any, by: number): any")
    .replace("(sample) =>", "(sample: any) =>");

const project = (json: object) => JSON.stringify({ name: "project", version: "1.0.0", ...json });
const main = { name: "by-main", main: "./lib/main.js", type: "module" };
const dual = {
  exports: {
    ".": { types: "./dual.d.ts", import: "./dual.mjs", require: "./dual.cjs" },
    "./more/*": "./lib/*.mjs",
    "./private/*": null,
  },
};
const files = new Files({
  "typeless/package.json": project({}),
  "typeless/typed.ts": typed("typed"),
  "typeless/plain.js": transform("plain", "./factor.mjs"),
  "typeless/factor.ts": "export const factor: number = 1;\n",
  "typeless/factor.mts": "export const factor: number = 1;\n",
  "commonjs/package.json": project({ type: "commonjs" }),
  "commonjs/typed.ts": typed("typed"),
  "commonjs/plain.js": transform("plain"),
  "commonjs/factor.js": "export const factor = 1;\n",
  "commonjs/wrong.js": "export default {;\n",
  "module/package.json": project({ type: "module" }),
  "module/plain.js": transform("plain"),
  "module/factor.js": "export const factor = 1;\n",

  "node_modules/import-only/package.json": project({
    type: "module",
    exports: { ".": { import: "./only.js" } },
  }),
  "node_modules/import-only/only.js": transform("only", "import-only-helper"),
  // A plug-in's own dependencies compute with the same copy.
  "node_modules/import-only-helper/package.json": project({ type: "module", exports: "./helper.js" }),
  "node_modules/import-only-helper/helper.js":
    'import { tf } from "segfuse";\nexport const factor = tf.util.sizeFromShape([2]);\n',
  "node_modules/@scope/dual/package.json": project(dual),
  "node_modules/@scope/dual/dual.mjs": transform("dual", "./factor.mjs"),
  "node_modules/@scope/dual/dual.cjs": "throw new Error('not for an import');\n",
  "node_modules/@scope/dual/factor.mjs": "export const factor = 1;\n",
  "node_modules/@scope/dual/lib/other.mjs": transform("other", "../factor.mjs"),
  "node_modules/by-main/package.json": project(main),
  "node_modules/by-main/lib/main.js": transform("main"),
  "node_modules/by-main/lib/factor.js": "export const factor = 1;\n",
  "node_modules/typed/package.json": project({ exports: "./src/index.ts" }),
  "node_modules/typed/src/index.ts": typed("typed_package"),
  "node_modules/typed/src/factor.ts": "export const factor: number = 1;\n",
  "node_modules/broken/package.json": "{\n",
  "node_modules/unfinished/package.json": project({ exports: "./dist/index.js" }),
  "sub/config.yaml": "",
});
const from = files.path("sub/config.yaml");

describe("a package's plug-in", () => {
  it("is what an `import` of its name takes", () => {
    const names = ["import-only", "@scope/dual", "@scope/dual/more/other", "by-main", "typed"];
    const paths = names.map((name) => resolvePlugin(name, from).replace(files.path("node_modules"), ""));
    expect(paths).toEqual([
      "/import-only/only.js",
      "/@scope/dual/dual.mjs",
      "/@scope/dual/lib/other.mjs",
      "/by-main/lib/main.js",
      "/typed/src/index.ts",
    ]);
  });

  it("is told apart from a package that is not there", async () => {
    const names = ["absent", "@scope/dual/private/other", "broken", "unfinished", "node:fs"];
    const reports = [];
    for (const name of names) {
      reports.push(await files.report(Promise.resolve().then(() => resolvePlugin(name, from))));
    }
    // What is wrong with JSON is said by each version of Node in its own way.
    expect(reports.join("\n").replace(/Expected property name.*/, "NODE'S WORDS")).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_LOAD: the plug-in package 'absent' was not found
        at: ROOT/sub/config.yaml
        expected: a package that is installed for ROOT/sub, or a path that starts with ./
        found: absent
      SEGFUSE_PLUGIN_LOAD: the package '@scope/dual/private/other' has no plug-in there
        at: ROOT/sub/config.yaml
        found: Package subpath './private/other' is not defined by "exports" in ROOT/node_modules/@scope/dual/package.json imported from ROOT/sub/config.yaml
      SEGFUSE_PLUGIN_LOAD: the package 'broken' has no plug-in there
        at: ROOT/sub/config.yaml
        found: Invalid package config ROOT/node_modules/broken/package.json while importing "broken" from ROOT/sub/config.yaml. NODE'S WORDS
      SEGFUSE_PLUGIN_LOAD: the plug-in 'unfinished' is not there
        at: ROOT/sub/config.yaml
        found: no file ROOT/node_modules/unfinished/dist/index.js
      SEGFUSE_PLUGIN_LOAD: the package 'node:fs' has no plug-in there
        at: ROOT/sub/config.yaml
        found: The URL must be of scheme file"
    `);
  });
});

describe("a plug-in's files", () => {
  it("are ES modules with types or without, that share this copy of segfuse, wherever they lie", async () => {
    const paths = ["typeless/typed.ts", "typeless/plain.js", "commonjs/typed.ts", "commonjs/plain.js"];
    paths.push("module/plain.js", "commonjs/wrong.js");
    const packages = ["import-only", "@scope/dual", "@scope/dual/more/other", "by-main", "typed"];
    const { stdout, stderr } = await importAll([...packages, ...paths.map((path) => `../${path}`)]);
    const imported = JSON.parse(stdout) as unknown[];
    const wrong = imported.pop();
    expect(imported).toEqual(
      [
        ["node_modules/import-only/only.js", "only"],
        ["node_modules/@scope/dual/dual.mjs", "dual"],
        ["node_modules/@scope/dual/lib/other.mjs", "other"],
        ["node_modules/by-main/lib/main.js", "main"],
        ["node_modules/typed/src/index.ts", "typed_package"],
        ["typeless/typed.ts", "typed"],
        ["typeless/plain.js", "plain"],
        ["commonjs/typed.ts", "typed"],
        ["commonjs/plain.js", "plain"],
        ["module/plain.js", "plain"],
      ].map(([path, type]) => ({ path: files.path(path!), types: [type], isSame: true })),
    );
    expect(String(wrong).replaceAll(files.root, "ROOT")).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_LOAD: the plug-in 'wrong.js' could not be loaded
        at: ROOT/commonjs/wrong.js:1:16
        found: TransformError: Transform failed with 1 error: ROOT/commonjs/wrong.js:1:16: ERROR: Expected identifier but found ";""
    `);
    expect(stderr).toBe("");
  });

  it("are read in data workers in the same way", async () => {
    const run = new TinyRun();
    try {
      const plugins = `plugins=[${files.path("typeless/typed.ts")}, ${files.path("commonjs/plain.js")}]`;
      const steps = "{type: typed, by: 0}, {type: plain, by: 2}, {type: random_crop}";
      const { config } = await run.load(plugins, `data.train.transforms=[${steps}]`);
      const loader = await openTrainLoader({ config, seed: 1, firstIteration: 0, iterations: 1 });
      const { images } = await loader.next();
      await loader.close();
      const { mean, std } = config.model.preprocess;
      // 0 · value + 1, then 2 · 1 + 1
      images.forEach((value, i) => expect(value * std[i % 3]! + mean[i % 3]!).toBeCloseTo(3, 3));
    } finally {
      run.remove();
    }
  });
});

/** Imports plug-ins in a process without vitest. */
function importAll(names: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(
    process.execPath,
    [
      "--import",
      "tsx",
      fileURLToPath(new URL("../helpers/plugin_child.ts", import.meta.url)),
      from,
      ...names,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
