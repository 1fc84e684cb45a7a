import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { follow, install, pack, pinned, shell } from "./helpers/packed.ts";

// The package as users get it: built, packed, installed in folders of their own.

const root = fileURLToPath(new URL("../", import.meta.url));
const temporary = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-package-"));
const app = join(temporary, "app");
let tarball = "";

/** What a command prints on standard output. */
async function output(command: string, cwd: string): Promise<string> {
  return (await shell(command, cwd)).stdout;
}

beforeAll(async () => {
  tarball = await pack(temporary);
  mkdirSync(app);
  const packages = `${tarball} ${pinned("typescript", "@types/node", "vitest")}`;
  await shell(`npm init -y && npm pkg set type=module && ${install(packages)}`, app);
}, 900_000);
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

it("has types that a strict project compiles with, and ones that say what is wrong", async () => {
  const options = {
    target: "ES2023",
    module: "NodeNext",
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true, // TensorFlow.js's own types do not pass
    types: ["node"],
  };
  writeFileSync(
    join(app, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, include: ["*.ts", "mine"] }),
  );
  writeFileSync(
    join(app, "program.ts"),
    `import { build, evaluate, loadConfig, predict, train, type Report, type Segmentor } from "segfuse";
export async function program(file: string): Promise<[Report, number]> {
  const loaded = await loadConfig(file, { set: ["seed=1"] });
  const network: Segmentor = await build(loaded, { classes: 3 });
  network.dispose();
  const { workDir } = await train(loaded, { workDir: "run" });
  const [first] = await predict(loaded, workDir, ["a.png"]);
  // @ts-expect-error the config's name is a text
  loaded.config.name satisfies number;
  return [await evaluate(loaded, workDir), first?.height ?? 0];
}
`,
  );
  await shell("npx tsc -p .", app);
});

it("has its command, configs, engine and data workers", async () => {
  expect(await output("npx segfuse --version", app)).toMatch(/^\d+\.\d+\.\d+/);
  expect(await output("npx segfuse list neck", app)).toContain("gated fully fusion");
  expect(await output("npx segfuse doctor", app)).toMatch(/^tensorflow {2}works: .* from the cache$/m);
  const configs = "node_modules/segfuse/configs";
  const checked = await output(`npx segfuse config ${configs}/table2/gff_dfp.yaml`, app);
  expect(checked).toContain("type: dfp");
  for (const file of ["quiet.cc", "unpack_wheel.py", "requirements-linux-x64.txt"]) {
    expect(existsSync(join(app, "node_modules/segfuse/src/engine/setup", file)), file).toBe(true);
  }
});

it("`segfuse new neck` writes what compiles, passes its test and has a table", async () => {
  await output("npx segfuse new neck mine", app);
  await shell("npx tsc -p .", app);
  expect(await output("npx vitest run mine/mine.test.ts", app)).toMatch(/1 passed/);
  const table = await output("npx segfuse ablate mine/study.yaml --set schedule.iterations=4", app);
  expect(table).toMatch(/^GFF +\|.*\| +4 \|/m);
  expect(table).toMatch(/^mine +\|.*\| +4 \|/m);
});

it("docs/plugins.md, followed word for word, ends with a table that has the new row", async () => {
  const folder = join(temporary, "empty");
  mkdirSync(folder);
  const printed = await follow("docs/plugins.md", folder);
  const tables = printed.map(({ stdout }) => stdout).join("\n");
  expect(tables).toMatch(/^GFF +\|.*\| +100 \|/m);
  expect(tables).toMatch(/^Mean +\|.*\| +100 \|/m);
  expect(tables).toContain("IoU of the group");
  expect(await output("npx segfuse list neck --plugin ./mean.ts", folder)).toContain(
    "the mean of all levels",
  );
});

it("examples/plugin-neck works in a folder of its own, and as an installed package", async () => {
  const folder = join(temporary, "plugin-neck");
  cpSync(join(root, "examples/plugin-neck"), folder, {
    recursive: true,
    filter: (path) => !/\/(node_modules|work_dirs)$/.test(path),
  });
  await shell(install(tarball), folder);
  await shell("npm run typecheck", folder);
  expect(await output("npm test", folder)).toMatch(/3 passed/);
  const study = "npx segfuse ablate study.yaml --rows softmax_fusion --set schedule.iterations=4";
  expect(await output(study, folder)).toMatch(/^Softmax fusion +\|.*\| +4 \|/m);
  expect(await output("npx segfuse config configs/full.yaml", folder)).toContain("type: softmax_fusion");

  // By its package name, from another project.
  const installed = join(app, "node_modules/segfuse-softmax-fusion");
  mkdirSync(dirname(installed), { recursive: true });
  for (const part of ["package.json", "src"])
    cpSync(join(folder, part), join(installed, part), { recursive: true });
  const listed = await output("npx segfuse list neck softmax_fusion --plugin segfuse-softmax-fusion", app);
  expect(listed).toContain("weighted at each position by a softmax over the levels");
});
