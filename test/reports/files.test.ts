import { Ajv } from "ajv";
import { decode } from "fast-png";
import { mkdtemp, readFile, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { SegfuseError } from "../../src/errors.ts";
import { readReport, writeReport, writeStudyReport } from "../../src/reports/files.ts";
import { panelCaptions, renderPanel } from "../../src/reports/panel.ts";
import { ReportSchema } from "../../src/reports/schema.ts";
import { StudyReportSchema } from "../../src/reports/study_schema.ts";
import { sampleReport, sampleStudy } from "./samples.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "segfuse-reports-"));
});

it("an evaluation's report is read as it was written, and its pages are made from the JSON alone", async () => {
  const report = sampleReport(0.6);
  await writeReport(folder, report);
  expect((await readdir(folder)).sort()).toEqual(["report.html", "report.json", "report.md"]);
  const read = await readReport(folder);
  expect(read).toEqual({ kind: "report", report });
  const html = await readFile(join(folder, "report.html"), "utf8");
  await writeReport(folder, sampleReport(0.6));
  expect(await readFile(join(folder, "report.html"), "utf8")).toBe(html);
});

it("a report of an earlier version, with paths of the machine that made it, is read and written without them", async () => {
  const report = sampleReport(0.6);
  report.config.path = "/home/someone/gff/gff.yaml";
  report.checkpoint!.path = "/scratch/someone/runs/gff/checkpoints/iter_300/model.safetensors";
  await writeReport(folder, report);
  expect(await pathsIn(folder)).not.toEqual([]);
  const read = await readReport(folder);
  if (read.kind === "report") await writeReport(folder, read.report);
  expect(await pathsIn(folder)).toEqual([]);
  const markdown = await readFile(join(folder, "report.md"), "utf8");
  expect(markdown).toContain("- Config: hash 0123456789abcdef, seed 0, gff.yaml\n");
  expect(markdown).toContain("- Checkpoint: checkpoints/iter\\_300/model.safetensors, iteration 300, ");
});

it("scores that are not defined are null in the JSON", () => {
  const { per_class: classes, metrics } = sampleReport(0.6);
  expect(classes.at(-1)).toMatchObject({ name: "nowhere", IoU: null, Acc: null });
  expect(metrics.mIoU).toBeGreaterThan(0);
});

it("the schemas are JSON schemas that hold for what is written", () => {
  const ajv = new Ajv({ strict: true, strictTypes: false });
  expect(ajv.validate(ReportSchema, sampleReport(0.5))).toBe(true);
  expect(ajv.validate(StudyReportSchema, sampleStudy([0, 1]))).toBe(true);
});

it("a study's page holds its pictures; made again it reads them from the folder", async () => {
  const study = sampleStudy();
  const size = { height: 2, width: 2 };
  const predictions = study.rows.map(({ label }) => ({ ...size, name: label, data: [0, 1, 2, 3] }));
  const { png, columns, gap } = await renderPanel({
    image: { ...size, data: new Uint8Array(12).fill(90) },
    label: { ...size, data: [0, 1, 255, 3] },
    predictions,
    palette: study.dataset.palette as [number, number, number][],
  });
  const captions = panelCaptions(predictions);
  study.samples = [{ id: "first", panel: "pictures/first.png", captions, columns, gap }];
  await writeStudyReport(folder, study, new Map([["pictures/first.png", png]]));
  expect(await readFile(join(folder, "pictures/first.png"))).toEqual(png);
  const html = await readFile(join(folder, "report.html"), "utf8");
  const pictures = [...html.matchAll(/<img src="data:image\/png;base64,([^"]*)" alt="([^"]*)"/g)];
  expect(pictures.map(([, , alt]) => alt)).toEqual(
    captions.map((name) => `${name.replace("<i>", "&lt;i&gt;")} of first`),
  );
  const corners = pictures.map(([, base64]) => {
    const { data, width } = decode(Buffer.from(base64!, "base64"));
    return [width, ...data.slice(0, 3)];
  });
  const [grey, firstClass] = [
    [640, 90, 90, 90],
    [640, ...study.dataset.palette[0]!],
  ];
  expect(corners).toEqual([grey, ...captions.slice(1).map(() => firstClass)]);
  const read = await readReport(join(folder, "report.json"));
  expect(read.kind).toBe("study");
  if (read.kind === "study") await writeStudyReport(folder, read.study);
  expect(await readFile(join(folder, "report.html"), "utf8")).toBe(html);
});

it("pictures outside the report's folder are not read", async () => {
  const study = sampleStudy();
  await writeFile(join(folder, "secret.png"), "secret");
  study.samples = [{ id: "x", panel: "../secret.png", captions: ["image"], columns: 1 }];
  await writeStudyReport(join(folder, "inner"), study);
  const html = await readFile(join(folder, "inner/report.html"), "utf8");
  expect(html).not.toContain(Buffer.from("secret").toString("base64"));
});

describe("pages", () => {
  it("escape names, hold no scripts and ask nothing from outside", async () => {
    await writeReport(folder, sampleReport(0.6));
    await writeStudyReport(join(folder, "study"), { ...sampleStudy(), title: `<script>alert("x")</script>` });
    for (const file of ["report.html", "study/report.html"]) {
      const html = await readFile(join(folder, file), "utf8");
      expect(html).not.toMatch(/<script|<link|<b>\||https?:|@import|url\(/);
      expect(html).toContain("sign &lt;b&gt;|_symbol_");
      expect(unbalanced(html)).toEqual([]);
    }
  });
});

it("files that are no reports are refused by name", async () => {
  const messages: string[] = [];
  for (const content of [null, "{", `{"a": 1}`, `{"format": "segfuse-report-1", "name": 3}`]) {
    if (content !== null) await writeFile(join(folder, "report.json"), content);
    const message = await readReport(folder).then(
      () => "read",
      (error: SegfuseError) => error.report(),
    );
    messages.push(message.replaceAll(folder, "FOLDER"));
  }
  expect(messages.join("\n")).toMatchInlineSnapshot(`
    "SEGFUSE_REPORT_READ: there is no report
      at: FOLDER/report.json
      found: no such file
      try: name a work folder of \`segfuse test\` or \`segfuse ablate\`
    SEGFUSE_REPORT_READ: the report cannot be read
      at: FOLDER/report.json
      found: no JSON
    SEGFUSE_REPORT_INVALID: the file is no report of segfuse
      at: FOLDER/report.json
      expected: format: segfuse-report-1 or segfuse-study-1
      found: no format
    SEGFUSE_REPORT_INVALID: the report does not follow its schema
      at: FOLDER/report.json
      found: / must have required property 'created'; / must have required property 'config'; / must have required property 'checkpoint'; / must have required property 'dataset'; / must have required property 'settings'"
  `);
});

it("a folder that cannot be written is named", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(writeReport(join(folder, "file"), sampleReport(0.5))).rejects.toMatchObject({
    code: "SEGFUSE_WRITE",
  });
  expect(await readFile(join(folder, "file"), "utf8")).toBe("");
});

/** Absolute paths that a report's three files name. */
async function pathsIn(folder: string): Promise<string[]> {
  const files = ["report.json", "report.md", "report.html"].map((name) =>
    readFile(join(folder, name), "utf8"),
  );
  return (await Promise.all(files)).flatMap((text) => text.match(/\/(home|scratch)\/[^\s"<,]*/g) ?? []);
}

/** Names of elements that are opened and not closed, or closed and not opened. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, close, name, rest] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)([^>]*)>/g)) {
    if (["meta", "img"].includes(name!) || rest!.endsWith("/")) continue;
    if (close === "") open.push(name!);
    else if (open.pop() !== name) wrong.push(name!);
  }
  return [...wrong, ...open];
}
