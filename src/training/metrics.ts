import { scoresThatDecide } from "../config/decisive.ts";
import type { Config } from "../config/sections.ts";
import { metricName } from "../evaluation/metric_entry.ts";
import type { Registry } from "../kinds.ts";
import { createMetrics, type MetricList } from "../evaluation/metric_list.ts";
import type { Needs } from "./tokens.ts";

type MetricParts = Needs<"loaded" | "registry" | "info" | "scope">;

/** The scores that a run's course depends on: the best checkpoint's and those that hooks name. */
export function decisiveScores(config: Config, registry: Registry): string[] {
  return scoresThatDecide(config, registry).map(({ name }) => name);
}

/**
 * The metrics of evaluations during training: those that the config asks for and, since they decide, also those that
 * it does not show.
 *
 * @throws SegfuseError `SEGFUSE_METRIC` where a plug-in's throws or gives no number
 */
export function trainingMetrics({ loaded: { config }, registry, info, scope }: MetricParts): MetricList {
  const asked = config.evaluation.metrics;
  const names = asked.map(metricName);
  const others = decisiveScores(config, registry).filter(
    (name) => registry.has("metric", name) && !names.includes(name),
  );
  return createMetrics(registry, [...asked, ...new Set(others)], { classes: info.classes, scope });
}

/** The metrics that a report shows. @throws SegfuseError `SEGFUSE_METRIC` */
export function reportMetrics({ loaded: { config }, registry, info, scope }: MetricParts): MetricList {
  return createMetrics(registry, config.evaluation.metrics, { classes: info.classes, scope });
}
