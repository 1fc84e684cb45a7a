import type { Command } from "commander";
import { relative } from "node:path";
import {
  formatComparison,
  formatReport,
  formatStudyTable,
  readReport,
  writeReport,
  writeStudyReport,
  type AnyReport,
} from "../src/reports/index.ts";
import { lineWidth } from "../src/util/terminal.ts";

/** `segfuse report`: Markdown and HTML again from the JSON; several evaluations side by side. */
export function register(program: Command): void {
  program
    .command("report")
    .argument("<dir...>", "work folders with a report.json, or such files")
    .description("make Markdown and HTML again from report.json and print the table; several: compare them")
    .option("--json", "print the reports as one JSON document and write nothing")
    .action(async (paths: string[], options: { json?: boolean }) => {
      const found: { path: string; report: AnyReport }[] = [];
      for (const path of paths) found.push({ path, report: await readReport(path) });
      if (options.json === true) {
        const documents = found.map(({ report }) => (report.kind === "study" ? report.study : report.report));
        process.stdout.write(
          `${JSON.stringify(documents.length === 1 ? documents[0] : documents, null, 2)}\n`,
        );
        return;
      }
      for (const { path, report } of found) await writeAgain(path, report);
      process.stdout.write(`${print(found)}\n`);
    });
}

async function writeAgain(path: string, report: AnyReport): Promise<void> {
  const folder = path.endsWith(".json") ? path.replace(/[^/\\]*$/, "") || "." : path;
  if (report.kind === "study") await writeStudyReport(folder, report.study);
  else await writeReport(folder, report.report);
}

function print(found: readonly { path: string; report: AnyReport }[]): string {
  const reports = found.flatMap(({ path, report }) =>
    report.kind === "report"
      ? [{ title: relative(".", path) || report.report.name, report: report.report }]
      : [],
  );
  const studies = found.flatMap(({ report }) => (report.kind === "study" ? [report.study] : []));
  const width = lineWidth(process.stdout);
  return [
    ...studies.map((study) => formatStudyTable(study, width)),
    ...(reports.length === 1 ? reports.map(({ report }) => formatReport(report, width)) : []),
    ...(reports.length > 1 ? [formatComparison(reports, width)] : []),
  ].join("\n\n");
}
