import { constantGuessText, reportRemarks } from "./facts.ts";
import { classColumns, classScoreIn, metricOf, scoreIn } from "./metrics.ts";
import { percent } from "./numbers.ts";
import type { Report } from "./schema.ts";
import type { StudyReport } from "./study_schema.ts";
import { wrapParts, wrapText } from "../util/terminal.ts";
import { textTable, type Table } from "./table.ts";
import { comparisonTables, hasPaper, studyTable } from "./tables.ts";

/**
 * An evaluation for the terminal: Class | IoU | Acc in per cent, then the overall scores.
 *
 * @param width columns of the terminal, here and below
 */
export function formatReport(report: Report, width = Infinity): string {
  const columns = classColumns(["mIoU", "mAcc"], report);
  const classes: Table = {
    columns: [
      { header: "Class", align: "left" },
      ...columns.map(({ header }) => ({ header, align: "right" }) as const),
    ],
    rows: report.per_class.map((c) => [c.name, ...columns.map(({ name }) => percent(classScoreIn(c, name)))]),
  };
  const shown = [...new Set(["aAcc", "mIoU", "mAcc", ...report.settings.metrics])];
  const scores = shown
    .filter((name) => scoreIn(report.metrics, name) !== undefined)
    .map((name) => `${metricOf(report, name).title} ${percent(scoreIn(report.metrics, name))}`);
  const remarks = reportRemarks(report).map((remark) => wrapText(remark, width));
  return [textTable(classes, width), "", wrapParts(scores, "   ", width), ...remarks].join("\n");
}

/** A study for the terminal: its table beside the paper's, in per cent. */
export function formatStudyTable(study: StudyReport, width = Infinity): string {
  const { constant_guess: guess } = study;
  const remarks = [legend(study), ...(guess === null ? [] : [constantGuessText(guess)]), ...study.notes];
  return [
    wrapText(study.title, width),
    "",
    textTable(studyTable(study), width),
    "",
    ...remarks.map((remark) => wrapText(remark, width)),
  ].join("\n");
}

function legend(study: StudyReport): string {
  const { dataset, seeds } = study;
  const over = seeds.length > 1 ? `, mean ± standard deviation over ${seeds.length} seeds` : "";
  const ours = `${dataset.type} ${dataset.split}, ${dataset.images} images; per cent${over}.`;
  return hasPaper(study) ? `Paper: the paper's own numbers, on its data. Ours: ${ours}` : ours;
}

/** Several evaluations side by side. */
export function formatComparison(
  reports: readonly { title: string; report: Report }[],
  width = Infinity,
): string {
  const { overall, classes } = comparisonTables(reports);
  const remark = sameData(reports)
    ? []
    : ["", wrapText("These reports are of different images: their scores do not compare.", width)];
  const byClass = classes === null ? [] : ["", textTable(classes, width)];
  return [textTable(overall, width), ...byClass, ...remark].join("\n");
}

function sameData(reports: readonly { report: Report }[]): boolean {
  return new Set(reports.map(({ report }) => report.dataset.fingerprint)).size <= 1;
}
