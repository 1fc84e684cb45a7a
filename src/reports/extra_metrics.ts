import type { Fact } from "./facts.ts";
import { metricOf, saidMetrics, scoreIn, type WithMetrics } from "./metrics.ts";
import type { Report } from "./schema.ts";

// What reports say of metrics that not every reader knows: plug-ins', and segfuse's own with options.

/** What each of them is, for the list of settings. */
export function metricFacts(report: WithMetrics): Fact[] {
  return saidMetrics(report).map(({ title, description, better, options }) => [
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
  const options = (report: Report, name: string) => JSON.stringify(metricOf(report, name).said?.options);
  return saidMetrics(...reports)
    .filter(({ name }) => {
      const computed = reports.filter((report) => scoreIn(report.metrics, name) !== undefined);
      return new Set(computed.map((report) => options(report, name))).size > 1;
    })
    .map(({ title }) => `${title} has different options in different rows: its scores do not compare.`);
}
