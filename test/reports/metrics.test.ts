import { expect, it } from "vitest";
import { metrics } from "../../src/evaluation/metrics/index.ts";
import { classColumns, headlineScores, metricOf, metricsOf, viewOf } from "../../src/reports/metrics.ts";
import { ReportSchema } from "../../src/reports/schema.ts";
import { classTable } from "../../src/reports/tables.ts";
import { sampleReport } from "./samples.ts";

// One list of metrics, whoever made them.

const report = sampleReport(0.6, 0, [
  { type: "missed", of: ["car"] },
  { type: "mFscore", beta: 2 },
]);
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).join(" ");

it("has segfuse's own in the order of their records, then the others", () => {
  const own = metrics.map(({ type }) => type);
  expect(names(metricsOf(report))).toBe([...own, "missed"].join(" "));
  expect(names(metricsOf(sampleReport(0.6)))).toBe(own.join(" "));
  // So has the schema of report.json, whose own metrics alone have keys.
  expect(Object.keys(ReportSchema.properties.metrics.properties)).toEqual(own);
});

it("knows a metric by what the report says of it, else by its record", () => {
  expect(metricOf(report, "missed")).toMatchObject({
    title: "Missed <b>|_share_",
    better: "lower",
    column: "Missed",
  });
  expect(metricOf(report, "mFscore").said?.options).toEqual({ beta: 2 });
  expect(metricOf(report, "mDice")).toMatchObject({ title: "mDice", better: "higher", said: null });
  expect(metricOf(sampleReport(0.6), "missed")).toMatchObject({ title: "missed", column: null });
});

it("a view has each metric once, what was asked for behind what it always has", () => {
  expect(names(viewOf(["mIoU", "mFscore"], report))).toBe("mIoU mFscore missed");
  expect(names(viewOf(["mIoU"], report, report))).toBe("mIoU mFscore missed");
  expect(names(viewOf(["mIoU"], sampleReport(0.6)))).toBe("mIoU");
});

it("shows scores where the report has them", () => {
  const titles = (of: typeof report) => headlineScores(of).map(([title]) => title);
  expect(titles(report)).not.toContain("mBIoU");
  const withBoundary = {
    ...report,
    metrics: { ...report.metrics, mBIoU: 0.25 },
    per_class: report.per_class.map((scores) => ({ ...scores, BIoU: 0.5 })),
  };
  expect(headlineScores(withBoundary)).toContainEqual(["mBIoU", "25.00"]);
  const { columns, rows } = classTable(withBoundary);
  const heads = columns.map(({ header }) => header);
  expect(heads).toEqual(["Class", "IoU", "Acc", "Dice", "Precision", "Boundary IoU", "Missed ↓", "Pixels"]);
  expect(rows.every((row) => row[heads.indexOf("Boundary IoU")] === "50.00")).toBe(true);
  expect(names(classColumns(["mIoU"], withBoundary))).toBe("mIoU missed");
});
