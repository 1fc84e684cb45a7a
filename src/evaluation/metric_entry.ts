import type { MetricRecord } from "./metrics/contracts.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import type { Registry } from "../kinds.ts";

/** A metric as a config writes it: its name, or its name and options. */
export type MetricEntry = string | ComponentConfig;

/** The name that scores have in reports and that `checkpoint.best` uses. */
export function metricName(entry: MetricEntry): string {
  return typeof entry === "string" ? entry : entry.type;
}

/**
 * Whether every evaluation has this metric, asked for or not: segfuse's own, but boundary IoU, which takes long to count.
 */
export function isStandard(registry: Registry, record: MetricRecord): boolean {
  return registry.isBuiltIn(record) && record.needsBoundary !== true;
}
