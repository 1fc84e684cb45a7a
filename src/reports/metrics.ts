import { classKeyOf } from "../evaluation/metrics/class_keys.ts";
import { metrics as records } from "../evaluation/metrics/index.ts";
import type { Better } from "../evaluation/metrics/contracts.ts";
import { percent } from "./numbers.ts";
import type { Report, ReportedMetric } from "./schema.ts";

// The metrics of reports: one list, whoever made a metric. Tables, Markdown and HTML walk it; scores are fractions, shown
// in per cent.

/** A metric as a reader of a report meets it. */
export interface ShownMetric {
  readonly name: string;
  readonly title: string;
  readonly better: Better;
  /** The head of its column by class; null: it has no scores by class. */
  readonly column: string | null;
  /** What the report itself says of it: a plug-in's, or one with options; null: every reader knows it. */
  readonly said: ReportedMetric | null;
}

/** A report, or a study's. */
export interface WithMetrics {
  readonly extra_metrics?: readonly ReportedMetric[];
}

const known: readonly ShownMetric[] = records.map(({ type, title, better, column }) => ({
  name: type,
  title: title ?? type,
  better: better ?? "higher",
  column: column ?? null,
  said: null,
}));

/**
 * All metrics that reports may have scores of: segfuse's own in the order of `segfuse list metric`, then the others. Of
 * two reports that say something of one name the first counts.
 */
export function metricsOf(...reports: readonly WithMetrics[]): ShownMetric[] {
  const byName = new Map(known.map((metric) => [metric.name, metric]));
  for (const said of reports.flatMap(({ extra_metrics: extra = [] }) => extra)) {
    const { name, title, better } = said;
    const before = byName.get(name);
    if (before?.said == null)
      byName.set(name, { name, title, better, column: said.column ?? before?.column ?? null, said });
  }
  return [...byName.values()];
}

/** What reports say of their metrics themselves, in the order in which they say it. */
export function saidMetrics(...reports: readonly WithMetrics[]): ReportedMetric[] {
  const byName = new Map<string, ReportedMetric>();
  for (const metric of reports.flatMap(({ extra_metrics: extra = [] }) => extra))
    if (!byName.has(metric.name)) byName.set(metric.name, metric);
  return [...byName.values()];
}

/** The metrics of a view: those that it always has, in its order, and all that the reports were asked for beside them. */
export function viewOf(always: readonly string[], ...reports: readonly WithMetrics[]): ShownMetric[] {
  const all = metricsOf(...reports);
  const asked = saidMetrics(...reports).map(({ name }) => name);
  return [...new Set([...always, ...asked])].flatMap((name) => all.filter((metric) => metric.name === name));
}

/** A metric of a report by its name; one of which nothing is known is called by that. */
export function metricOf(report: WithMetrics, name: string): ShownMetric {
  const found = metricsOf(report).find((metric) => metric.name === name);
  return found ?? { name, title: name, better: "higher", column: null, said: null };
}

/** What heads a metric's column: its title, with an arrow where the lowest is the best. */
export function headerOf({ title, better }: ShownMetric): string {
  return better === "lower" ? `${title} ↓` : title;
}

/** A report's score; undefined where it does not have that metric. */
export function scoreIn(metrics: Report["metrics"], name: string): number | null | undefined {
  return (metrics as Readonly<Record<string, number | null>>)[name];
}

/** One class's score; undefined where the report does not have it. */
export function classScoreIn(scores: Report["per_class"][number], name: string): number | null | undefined {
  const key = classKeyOf(name);
  return key === null ? scores.extra?.[name] : scores[key];
}

/** The scores of a whole evaluation that a report begins with, by their titles, in per cent. */
export function headlineScores(report: Report): (readonly [title: string, score: string])[] {
  return viewOf(["mIoU", "mAcc", "aAcc", "fwIoU", "mDice", "kappa", "mBIoU"], report)
    .filter(({ name }) => scoreIn(report.metrics, name) !== undefined)
    .map(({ name, title }) => [title, percent(scoreIn(report.metrics, name))] as const);
}

/** The columns by class of a view's metrics, without those of which no class has a score. */
export function classColumns(always: readonly string[], report: Report): { name: string; header: string }[] {
  return viewOf(always, report).flatMap((metric) => {
    const { name, column } = metric;
    const isThere = report.per_class.some((scores) => classScoreIn(scores, name) !== undefined);
    // One that every reader knows has its column where the view has it, and nowhere else.
    const isShown = classKeyOf(name) === null || always.includes(name);
    return column === null || !isThere || !isShown
      ? []
      : [{ name, header: headerOf({ ...metric, title: column }) }];
  });
}
