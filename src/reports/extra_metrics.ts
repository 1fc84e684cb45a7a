import type { Fact } from "./facts.ts";
import type { Report, ReportedMetric } from "./schema.ts";

// Metrics that are not in every report: plug-ins', and segfuse's own with options.

/** A report's score by name; undefined where it does not have that metric. */
export function scoreIn(metrics: Report["metrics"], name: string): number | null | undefined {
  return (metrics as Readonly<Record<string, number | null>>)[name];
}

interface WithExtra {
  readonly extra_metrics?: readonly ReportedMetric[];
}

/** Those of one report, or of several: of a name the first. */
export function extraMetrics(...reports: readonly WithExtra[]): ReportedMetric[] {
  const byName = new Map<string, ReportedMetric>();
  for (const metric of reports.flatMap(({ extra_metrics: extra = [] }) => extra)) {
    if (!byName.has(metric.name)) byName.set(metric.name, metric);
  }
  return [...byName.values()];
}

/** What a metric is called. */
export function titleOf(report: WithExtra, name: string): string {
  return extraMetrics(report).find((metric) => metric.name === name)?.title ?? name;
}

/** What heads a metric's column: its name, with an arrow where the lowest is the best. */
export function headerOf(report: WithExtra, name: string): string {
  return isLowerBetter(report, name) ? `${titleOf(report, name)} ↓` : titleOf(report, name);
}

export function isLowerBetter(report: WithExtra, name: string): boolean {
  return extraMetrics(report).some((metric) => metric.name === name && metric.better === "lower");
}

/** Columns by class: their heads, and the names of their scores. */
export function classColumns(report: WithExtra): { name: string; header: string }[] {
  return extraMetrics(report).flatMap(({ name, column, better }) =>
    column === null ? [] : [{ name, header: better === "lower" ? `${column} ↓` : column }],
  );
}

/** What each metric is, for the list of settings. */
export function metricFacts(report: WithExtra): Fact[] {
  return extraMetrics(report).map(({ title, description, better, options }) => [
    title,
    [
      description,
      ...(Object.keys(options).length === 0 ? [] : [`options ${JSON.stringify(options)}`]),
      ...(better === "lower" ? ["the lower the better"] : []),
    ].join("; "),
  ]);
}

/** A remark for each metric that was computed with other options in one report than in another. */
export function unequalMetrics(reports: readonly Report[]): string[] {
  const options = (report: Report, name: string) =>
    JSON.stringify(report.extra_metrics?.find((metric) => metric.name === name)?.options);
  return extraMetrics(...reports)
    .filter(({ name }) => {
      const computed = reports.filter((report) => scoreIn(report.metrics, name) !== undefined);
      return new Set(computed.map((report) => options(report, name))).size > 1;
    })
    .map(({ title }) => `${title} has different options in different rows: its scores do not compare.`);
}
