import { Ajv, type ValidateFunction } from "ajv";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SegfuseError } from "../errors.ts";
import { writeFileAtomic } from "../util/atomic_file.ts";
import { reportHtml } from "./html/report_page.ts";
import { studyHtml } from "./html/study_page.ts";
import { reportMarkdown, studyMarkdown } from "./markdown.ts";
import { cutPanel } from "./panel.ts";
import { withoutMachine } from "./paths.ts";
import { type Report, ReportSchema } from "./schema.ts";
import { type StudyReport, StudyReportSchema } from "./study_schema.ts";

/** What a folder's `report.json` is. */
export type AnyReport = { kind: "report"; report: Report } | { kind: "study"; study: StudyReport };

/**
 * Writes report.json, report.md and report.html of one evaluation, each whole or not at all.
 *
 * @throws SegfuseError SEGFUSE_WRITE where the folder cannot be written
 */
export async function writeReport(folder: string, report: Report): Promise<void> {
  await writeFileAtomic(join(folder, "report.json"), json(report));
  await writeFileAtomic(join(folder, "report.md"), reportMarkdown(report));
  await writeFileAtomic(join(folder, "report.html"), reportHtml(report));
}

/**
 * Writes report.json, report.md and report.html of a study, and its samples' panels.
 *
 * @param pictures PNG files by their path in `study.samples`; those not given are read from the folder
 * @throws SegfuseError SEGFUSE_WRITE where the folder cannot be written
 */
export async function writeStudyReport(
  folder: string,
  study: StudyReport,
  pictures: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<void> {
  const cut = new Map<string, readonly Uint8Array[]>();
  for (const { panel, captions, columns, gap = 0 } of study.samples) {
    const given = pictures.get(panel);
    if (given !== undefined) await writeFileAtomic(join(folder, panel), given);
    else if (!isInside(panel)) continue;
    const png = given ?? (await readFile(join(folder, panel)).catch(() => null));
    if (png !== null) cut.set(panel, await cutPanel(png, { count: captions.length, columns, gap }));
  }
  await writeFileAtomic(join(folder, "report.json"), json(study));
  await writeFileAtomic(join(folder, "report.md"), studyMarkdown(study));
  await writeFileAtomic(join(folder, "report.html"), studyHtml(study, cut));
}

/**
 * Reads a report of either kind and checks it against its schema.
 *
 * @param path a report.json or the folder that holds one
 * @throws SegfuseError SEGFUSE_REPORT_READ, SEGFUSE_REPORT_INVALID
 */
export async function readReport(path: string): Promise<AnyReport> {
  const folder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const file = folder ? join(path, "report.json") : path;
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new SegfuseError(
      "SEGFUSE_REPORT_READ",
      missing ? "there is no report" : "the report cannot be read",
      {
        where: file,
        ...(missing ? { advice: "name a work folder of `segfuse test` or `segfuse ablate`" } : {}),
        found: missing ? "no such file" : cause instanceof SyntaxError ? "no JSON" : (cause as Error).message,
        cause,
      },
    );
  }
  const format = (content as { format?: unknown } | null)?.format;
  if (format === "segfuse-report-1") {
    const report = check<Report>(ReportSchema, content, file);
    const { config, checkpoint } = report;
    if (config.path !== null) config.path = withoutMachine(config.path);
    if (checkpoint !== null) checkpoint.path = withoutMachine(checkpoint.path);
    return { kind: "report", report };
  }
  if (format === "segfuse-study-1") {
    return { kind: "study", study: check<StudyReport>(StudyReportSchema, content, file) };
  }
  throw new SegfuseError("SEGFUSE_REPORT_INVALID", "the file is no report of segfuse", {
    where: file,
    expected: "format: segfuse-report-1 or segfuse-study-1",
    found: format === undefined ? "no format" : JSON.stringify(format),
  });
}

function check<T>(schema: object, content: unknown, file: string): T {
  const ajv = new Ajv({ allErrors: true, strict: false });
  const validate = ajv.compile(schema) as ValidateFunction<T>;
  if (validate(content)) return content;
  throw new SegfuseError("SEGFUSE_REPORT_INVALID", "the report does not follow its schema", {
    where: file,
    found: (validate.errors ?? [])
      .slice(0, 5)
      .map(({ instancePath, message }) => `${instancePath === "" ? "/" : instancePath} ${message}`)
      .join("; "),
  });
}

/** Panels lie in the report's own folder: a path that leaves it is not followed. */
function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.split(/[\\/]/).includes("..");
}

function json(content: unknown): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}
