import { formatDuration } from "../util/duration.ts";
import { classColumns, classScoreIn, headerOf, metricOf, scoreIn, viewOf } from "./metrics.ts";
import { grouped, inPercent, percent, points, spreadPercent } from "./numbers.ts";
import type { Report } from "./schema.ts";
import type { StudyReport, StudyRow } from "./study_schema.ts";
import type { Column, Table } from "./table.ts";

const left = (header: string): Column => ({ header, align: "left" });
const right = (header: string): Column => ({ header, align: "right" });
const paper = (header: string): Column => ({ header, align: "right", paper: true });

/** Scores by class, in per cent. (Recall is Acc, and the F-score is Dice.) */
export function classTable(report: Report): Table {
  const scores = classColumns(["mIoU", "mAcc", "mDice", "mPrecision", "mBIoU"], report);
  return {
    columns: [left("Class"), ...scores.map(({ header }) => right(header)), right("Pixels")],
    rows: report.per_class.map((c) => [
      c.name,
      ...scores.map(({ name }) => percent(classScoreIn(c, name))),
      grouped(c.label_pixels),
    ]),
  };
}

/** The paper's table, where the study has its numbers, beside ours; the last row is the constant guess. */
export function studyTable(study: StudyReport): Table {
  const { metric, rows, constant_guess: guess } = study;
  const others = paperMetrics(study).filter((name) => name !== metric);
  const shown = viewOf(["mIoU", "mAcc", "aAcc"], study).map(({ name }) => name);
  const ours = [metric, ...new Set(shown.filter((name) => name !== metric))];
  const header = (name: string) => headerOf(metricOf(study, name));
  const hasDeltas = study.baseline !== null;
  const isBesidePaper = hasPaper(study);
  const hasPaperDeltas = isBesidePaper && hasDeltas;
  const columns = [
    left("Row"),
    ...(isBesidePaper ? [paper(`paper ${header(metric)}`)] : []),
    ...(hasPaperDeltas ? [paper("Δ paper")] : []),
    ...others.map((name) => paper(`paper ${name}`)),
    right(oursHeader(study)),
    ...(hasDeltas ? [right(isBesidePaper ? "Δ ours" : "Δ")] : []),
    ...ours.slice(1).map((name) => right(header(name))),
    right("iterations"),
    right("train time"),
  ];
  const constant = (name: string) =>
    guess !== null && (name === "mIoU" || name === "mAcc" || name === "aAcc") ? percent(guess[name]) : "–";
  const body = rows.map((row) => [
    row.label,
    ...(isBesidePaper ? [inPercent(row.paper[metric])] : []),
    ...(hasPaperDeltas ? [points(row.paper_delta)] : []),
    ...others.map((name) => inPercent(row.paper[name])),
    spreadPercent(row.metrics[metric]),
    ...(hasDeltas ? [points(row.delta === null ? null : 100 * row.delta)] : []),
    ...ours.slice(1).map((name) => spreadPercent(row.metrics[name])),
    iterations(row),
    trainTime(row),
  ]);
  const last = [
    guess === null ? "" : `constant guess (${guess.class})`,
    ...(isBesidePaper ? ["–"] : []),
    ...(hasPaperDeltas ? ["–"] : []),
    ...others.map(() => "–"),
    constant(metric),
    ...(hasDeltas ? ["–"] : []),
    ...ours.slice(1).map(constant),
    "–",
    "–",
  ];
  return { columns, rows: guess === null ? body : [...body, last] };
}

/** What heads our column of the metric that a study compares. */
export function oursHeader(study: StudyReport): string {
  const header = headerOf(metricOf(study, study.metric));
  return hasPaper(study) ? `ours ${header}` : header;
}

/** Whether the study has numbers of a paper to stand beside. */
export function hasPaper({ rows }: StudyReport): boolean {
  return rows.some((row) => Object.keys(row.paper).length > 0);
}

/** IoU by class and row of a study, mean over seeds; the classes are the rows. */
export function studyClassTable(study: StudyReport): { table: Table; values: (number | null)[][] } {
  const values = study.dataset.classes.map((_, c) => study.rows.map((row) => meanClassIou(row, c)));
  return {
    table: {
      columns: [left("Class"), ...study.rows.map(({ label }) => right(label))],
      rows: study.dataset.classes.map((name, c) => [name, ...values[c]!.map(percent)]),
    },
    values,
  };
}

/** Several reports side by side: the overall scores, and IoU by class where the classes are the same. */
export function comparisonTables(reports: readonly { title: string; report: Report }[]): {
  overall: Table;
  classes: Table | null;
} {
  const [first] = reports;
  const names = first?.report.dataset.classes ?? [];
  const scores = viewOf(["mIoU", "mAcc", "aAcc", "fwIoU"], ...reports.map(({ report }) => report));
  const same = reports.every(({ report }) => report.dataset.classes.join("\n") === names.join("\n"));
  return {
    overall: {
      columns: [
        left("Report"),
        left("Split"),
        ...scores.map((metric) => right(headerOf(metric))),
        right("iteration"),
      ],
      rows: reports.map(({ title, report }) => [
        title,
        `${report.dataset.type} ${report.dataset.split}`,
        ...scores.map(({ name }) => percent(scoreIn(report.metrics, name))),
        grouped(report.checkpoint?.iteration),
      ]),
    },
    classes: same
      ? {
          columns: [left("Class"), ...reports.map(({ title }) => right(title))],
          rows: names.map((name, c) => [
            name,
            ...reports.map(({ report }) => percent(report.per_class[c]?.IoU)),
          ]),
        }
      : null,
  };
}

/** Metrics that any row has from the paper, in order of first use. */
export function paperMetrics({ rows }: StudyReport): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row.paper)))];
}

function iterations(row: StudyRow): string {
  if (row.weights_from !== null) return `as ${row.weights_from}`;
  if (row.total_iterations === row.iterations) return grouped(row.iterations);
  return `${grouped(row.total_iterations - row.iterations)} + ${grouped(row.iterations)}`;
}

function trainTime(row: StudyRow): string {
  const times = row.runs.map((run) => run.train_seconds).filter((seconds) => seconds !== null);
  if (row.weights_from !== null || times.length === 0) return "–";
  return formatDuration(times.reduce((total, seconds) => total + seconds, 0) / times.length);
}

function meanClassIou(row: StudyRow, c: number): number | null {
  const values = row.runs.map((run) => run.class_iou[c] ?? null).filter((value) => value !== null);
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length;
}
