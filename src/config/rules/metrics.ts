import { metricName } from "../../evaluation/metric_entry.ts";
import type { Registry } from "../../kinds.ts";
import { scoresThatDecide } from "../decisive.ts";
import type { Path } from "../tree.ts";
import type { Finding, Rule } from "./rule.ts";

/** A metric is computed once: its name is what tables and `checkpoint.best` call it. */
export const repeatedMetrics: Rule = {
  code: "SEGFUSE_CONFIG_REPEATED",
  *check({ evaluation }) {
    const names = evaluation.metrics.map(metricName);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      yield {
        path: ["evaluation", "metrics", index],
        message: "a metric stands in the list twice",
        expected: `${name} once, by its name or with options`,
        found: `another ${name}`,
      };
    }
  },
};

/** Where a metric is named alone, in the list or because it decides, its options are the defaults: it must have them all. */
export const metricOptions: Rule = {
  code: "SEGFUSE_METRIC_OPTIONS",
  *check(config, registry) {
    const { evaluation } = config;
    for (const [index, entry] of evaluation.metrics.entries()) {
      if (typeof entry === "string") yield* lacking(entry, ["evaluation", "metrics", index], registry);
    }
    const listed = evaluation.metrics.map(metricName);
    for (const { name, path } of scoresThatDecide(config, registry)) {
      if (!listed.includes(name)) yield* lacking(name, path, registry);
    }
  },
};

function* lacking(name: string, path: Path, registry: Registry): Generator<Finding> {
  if (!registry.has("metric", name)) return;
  const { properties, required = [] } = registry.get("metric", name).schema as {
    properties: Record<string, { default?: unknown }>;
    required?: string[];
  };
  const missing = required.filter((option) => properties[option]?.default === undefined);
  if (missing.length === 0) return;
  const isListed = path[0] === "evaluation";
  yield {
    path,
    message: isListed
      ? `the metric '${name}' has options without a default`
      : `the metric '${name}' is not computed: it has options without a default`,
    expected: `{type: ${name}, ${missing.map((option) => `${option}: …`).join(", ")}}${isListed ? "" : " in evaluation.metrics"}`,
    found: isListed ? `${name} alone` : `no ${name} there`,
  };
}
