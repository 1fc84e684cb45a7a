import type { MetricRecord } from "./metrics/contracts.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import { optionsOf } from "../registry/make.ts";
import { emptyScope } from "../registry/scope.ts";
import type { Registry } from "../kinds.ts";
import type {
  ClassMetrics,
  EvaluationCounts,
  ExtraMetric,
  Metric,
  MetricInputs,
  Metrics,
} from "./contracts.ts";
import { isStandard, metricName, type MetricEntry } from "./metric_entry.ts";
import { deepFreeze, metricOf, numberOf, numbersOf, type MetricOwner } from "./metric_values.ts";
import { classKeyOf } from "./metrics/class_keys.ts";
import { classCounts } from "./metrics/parts.ts";

/** The scores of one class: those that every report has, and those of extra metrics by name. */
export interface ClassScores {
  readonly own: ClassMetrics;
  /** Undefined where no extra metric has scores by class. */
  readonly extra: Readonly<Record<string, number>> | undefined;
}

interface ListedMetric {
  readonly record: MetricRecord;
  readonly metric: Metric;
  readonly owner: MetricOwner;
  readonly description: ExtraMetric;
  /** Whether every reader knows it: one of segfuse's own, as it is without options. */
  readonly isKnown: boolean;
}

/** The metrics of an evaluation. */
export class MetricList {
  constructor(
    private readonly metrics: readonly ListedMetric[],
    private readonly inputs: MetricInputs,
  ) {}

  /** Whether boundaries must be counted. */
  get needsBoundary(): boolean {
    return this.metrics.some(({ record }) => record.needsBoundary === true);
  }

  /** Those that are not in every report, and those with options. */
  get extra(): readonly ExtraMetric[] {
    return this.metrics.filter(({ isKnown }) => !isKnown).map(({ description }) => description);
  }

  /**
   * What all metrics make of an evaluation's counts.
   *
   * @param confusion pixels by [label][prediction]
   * @param boundary counts by class, where `needsBoundary`
   * @param occasion for messages, where the counts are not an evaluation's
   * @throws SegfuseError `SEGFUSE_METRIC` where a plug-in's throws or gives no number
   */
  compute(
    confusion: EvaluationCounts["confusion"],
    boundary: EvaluationCounts["boundary"],
    occasion?: string,
  ): { metrics: Metrics; perClass: ClassScores[] } {
    const { classes } = this.inputs;
    const counts = deepFreeze({ classes, confusion, counts: classCounts(confusion), boundary });
    const metrics: Record<string, number> = {};
    const own: Record<string, readonly number[]> = {};
    const extra: Record<string, readonly number[]> = {};
    for (const { record, metric, ...listed } of this.metrics) {
      const owner = { ...listed.owner, occasion };
      metrics[record.type] = numberOf(owner, () => metric.compute(counts));
      if (metric.perClass === undefined) continue;
      const scores = numbersOf(owner, classes.length, () => metric.perClass!(counts));
      const key = classKeyOf(record.type);
      if (key === null) extra[record.type] = scores;
      else own[key] = scores;
    }
    const hasExtra = Object.keys(extra).length > 0;
    const perClass = classes.map((_, c) => ({
      own: ofClass(own, c) as unknown as ClassMetrics,
      extra: hasExtra ? ofClass(extra, c) : undefined,
    }));
    return { metrics: metrics as unknown as Metrics, perClass };
  }

  /**
   * Computes all metrics of made-up counts: of some in which every class has pixels that were found, missed and mistaken
   * for it, and of some in which the last class is nowhere, as rare classes are in small splits.
   *
   * @throws SegfuseError `SEGFUSE_METRIC`
   */
  tryAll(): void {
    const { classes } = this.inputs;
    const tryOn = (present: number, occasion: string) => {
      const confusion = classes.map((_, l) =>
        classes.map((_, p) => (Math.max(l, p) >= present ? 0 : l === p ? 10 * present : 1)),
      );
      this.compute(confusion, this.needsBoundary ? classCounts(confusion) : null, occasion);
    };
    tryOn(classes.length, "of made-up counts");
    if (classes.length > 1)
      tryOn(classes.length - 1, `of made-up counts without a pixel of ${classes.at(-1)}`);
  }
}

function ofClass(scores: Readonly<Record<string, readonly number[]>>, c: number): Record<string, number> {
  return Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, values[c]!]));
}

/**
 * Makes the metrics that every evaluation has and those that are asked for. All are tried on made-up counts, so that a
 * plug-in's that throws does so before a run has trained for hours.
 *
 * @param entries options are valid by the metric's schema; of a name alone they are the defaults
 * @param inputs without a `scope` there is no run that a metric could ask
 * @throws SegfuseError `SEGFUSE_METRIC`, `SEGFUSE_UNKNOWN_COMPONENT`
 */
export function createMetrics(
  registry: Registry,
  entries: readonly MetricEntry[],
  { classes, scope = emptyScope }: Pick<MetricInputs, "classes"> & Partial<MetricInputs>,
): MetricList {
  const standard = registry.list("metric").filter((record) => isStandard(registry, record));
  const records = [...standard, ...entries.map((entry) => registry.get("metric", metricName(entry)))];
  const inputs = { classes: Object.freeze([...classes]), scope };
  const made = [...new Set(records)].map((record) => {
    const entry = entries.find((one) => metricName(one) === record.type) ?? record.type;
    return make(registry, record, entry, inputs);
  });
  const list = new MetricList(made, inputs);
  list.tryAll();
  return list;
}

function make(
  registry: Registry,
  record: MetricRecord,
  entry: MetricEntry,
  inputs: MetricInputs,
): ListedMetric {
  const written: ComponentConfig = typeof entry === "string" ? { type: entry } : { ...entry };
  const name = written.type;
  const options = optionsOf(record, written);
  const { description: text, title = name, better = "higher" } = record;
  const owner = { name, source: registry.source(record) };
  const metric = metricOf(owner, () => registry.make("metric", written, inputs));
  const hasOptions = typeof entry !== "string" && Object.keys(options).length > 0;
  // Scores by class of segfuse's own have fields and columns that every reader knows.
  const hasColumn = metric.perClass !== undefined && classKeyOf(name) === null;
  const column = hasColumn ? (record.column ?? title) : null;
  const description = { name, title, description: text, better, options, column };
  return { record, metric, owner, description, isKnown: registry.isBuiltIn(record) && !hasOptions };
}
