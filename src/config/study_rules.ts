import { isStandard, metricName } from "../evaluation/metric_entry.ts";
import type { Registry } from "../kinds.ts";
import { nearestName, shorten, type Complaint } from "./complaint.ts";
import type { LoadedConfig } from "./load.ts";
import type { Overlay, Row } from "./overlay.ts";
import { originAt, type MapNode } from "./tree.ts";

/** A study's metric is one that is registered, by segfuse or by a plug-in of its rows. */
export function unknownMetric(metric: string, tree: MapNode, registry: Registry): Complaint[] {
  const valid = registry.types("metric");
  if (valid.includes(metric)) return [];
  const at = { origin: originAt(tree, ["metric"]), path: ["metric"] };
  const message = `there is no metric '${shorten(metric)}'`;
  return [{ code: "SEGFUSE_STUDY_METRIC", message, ...at, ...nearestName(metric, valid), valid }];
}

/** A study's metric is one that each row's evaluation computes: boundary IoU and plug-ins' are computed on request alone. */
export function metricComplaints(
  row: Row,
  { config, origins, registry }: LoadedConfig,
  metric: string,
): readonly Complaint[] {
  const names = config.evaluation.metrics.map(metricName);
  if (names.includes(metric) || !registry.has("metric", metric)) return [];
  if (isStandard(registry, registry.get("metric", metric))) return [];
  return [
    {
      code: "SEGFUSE_STUDY_METRIC",
      message: `the study compares ${metric}, which the row '${row.name}' does not compute`,
      origin: origins.get("evaluation.metrics") ?? row.origin,
      path: ["evaluation", "metrics"],
      expected: `${metric} among them`,
      found: names.join(", "),
    },
  ];
}

/** What only training reads. */
const trainingSections = ["optimizer", "schedule", "checkpoint", "hooks"];

/**
 * A row that evaluates another row's weights trains nothing: a schedule that its own file or its part of an overlay
 * sets was meant for something. A file that a training row shares may hold one.
 */
export function unusedSections(
  row: Row,
  { path, origins }: LoadedConfig,
  study: { readonly overlays: readonly Overlay[]; readonly all: readonly Row[] },
): Complaint[] {
  if (row.weights_from === null) return [];
  const isShared = study.all.some((other) => other.weights_from === null && other.config === row.config);
  const layers = study.overlays.flatMap((overlay) => overlay.rows.get(row.name) ?? []);
  return trainingSections.flatMap((section): Complaint[] => {
    const written = origins.get(section);
    const own = !isShared && written?.source === path ? written : undefined;
    const overlaid = layers.map((layer) => layer.entries.get(section)?.origin).find((origin) => origin);
    const origin = overlaid ?? own;
    if (origin === undefined) return [];
    return [
      {
        code: "SEGFUSE_UNUSED",
        message: `the row '${row.name}' trains nothing: its ${section} has no effect`,
        origin,
        path: [section],
        expected: `no ${section} here, because weights_from is ${row.weights_from}`,
        advice: `${section} in the config of ${row.weights_from}, or init_from in place of weights_from`,
      },
    ];
  });
}

/** A row starts from one place. */
export function initFromTwice(row: Row, { config, origins }: LoadedConfig): Complaint[] {
  if (config.init_from === null) return [];
  return [
    {
      code: "SEGFUSE_STUDY_WEIGHTS",
      message: `the row '${row.name}' takes its weights from a row, its config from a file`,
      origin: origins.get("init_from") ?? null,
      path: ["init_from"],
      expected: "null: in a study the row's init_from decides",
      found: config.init_from,
    },
  ].filter(() => row.init_from !== null || row.weights_from !== null) as Complaint[];
}
