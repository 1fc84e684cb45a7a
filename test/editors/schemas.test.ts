import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { editorSchema } from "../../src/config/index.ts";
import { createRegistry } from "../../src/builtin.ts";
import { reportJsonSchema } from "../../src/reports/json_schema.ts";
import { segfuse } from "../helpers/cli.ts";

const shipped = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../configs/schema/${name}.json`, import.meta.url), "utf8")) as unknown;

it.each(["config", "study", "overlay"] as const)("configs/schema/%s.json is up to date", (name) => {
  expect(shipped(name), "npm run schemas").toEqual(editorSchema(name, createRegistry()));
});

it("configs/schema/report.json is up to date", () => {
  expect(shipped("report"), "npm run schemas").toEqual(reportJsonSchema());
});

it.each(["config", "study", "overlay", "report"])("%s.json is a JSON schema of draft 07", (name) => {
  const ajv = new Ajv({ strict: false });
  expect(ajv.validateSchema(shipped(name) as object)).toBe(true);
  expect(() => ajv.compile(shipped(name) as object)).not.toThrow();
});

it("a report is one of an evaluation or of a study", () => {
  const check = new Ajv({ strict: false }).compile(shipped("report") as object);
  expect(check({ format: "segfuse-report-2" })).toBe(false);
  expect(check({ format: "segfuse-study-1" })).toBe(false);
  expect(check.errors!.map(({ message }) => message)).toContain("must have required property 'title'");
});

it("the plug-ins of a config count, though the rest of it is wrong; --out makes folders", async () => {
  const folder = mkdtempSync(join(tmpdir(), "segfuse-schema-"));
  writeFileSync(
    join(folder, "twice.mjs"),
    `import { defineMetric, defineNeck, Type } from "segfuse";
const create = () => { throw new Error("not built here"); };
const times = Type.Integer({ default: 2, description: "how often" });
export default [
  defineNeck({ type: "twice", description: "each level twice", schema: Type.Object({ times }), create }),
  defineMetric({ type: "half", description: "half of mIoU", schema: Type.Object({}), create }),
];
`,
  );
  writeFileSync(join(folder, "mine.yaml"), "plugins: [./twice.mjs]\nmodel: {neck: {type: twise}}\n");
  writeFileSync(join(folder, "study.yaml"), "title: T\nrows: [{name: a, config: mine.yaml}]\n");
  writeFileSync(join(folder, "plain.yaml"), "seed: 3\n");
  writeFileSync(join(folder, "overlay.yaml"), "config: {plugins: [./twice.mjs]}\n");
  for (const [file, ...more] of [
    ["mine.yaml"],
    ["study.yaml"],
    ["plain.yaml", "--overlay", join(folder, "overlay.yaml")],
  ] as const) {
    const out = join(folder, "made", `${file}.json`);
    const args = ["schema", "config", "--config", join(folder, file), ...more, "--out", out];
    expect(await segfuse(args)).toEqual({ code: 0, stdout: "", stderr: "" });
    const { definitions, properties } = JSON.parse(readFileSync(out, "utf8")) as ReturnType<
      typeof editorSchema
    >;
    expect(definitions!["neck_slot"]!.properties!["type"]!.enum).toContain("twice");
    expect(definitions!["metric_item"]!.properties!["type"]!.enum).toContain("half");
    expect(JSON.stringify(properties!["checkpoint"])).toContain('"half","val_loss"');
  }
  const lost = await segfuse(["schema", "--config", join(folder, "lost.yaml")]);
  expect(lost.code).toBe(2);
  expect(lost.stderr).toContain("SEGFUSE_CONFIG_FILE");
});
