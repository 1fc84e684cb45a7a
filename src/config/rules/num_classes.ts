import type { Registry } from "../../kinds.ts";
import type { Surroundings } from "../../registry/record.ts";
import type { Config } from "../sections.ts";
import type { Rule } from "./rule.ts";

/** The network has a class for each of the data set's. */
export const numClasses: Rule = {
  code: "SEGFUSE_NUM_CLASSES",
  *check(config, registry) {
    const wanted = config.model.num_classes;
    const there = datasetClasses(config, registry);
    if (wanted === null || there === null || wanted === there) return;
    yield {
      path: ["model", "num_classes"],
      message: "the network and the data set have different numbers of classes",
      expected: `${there}, as data.dataset has`,
      found: String(wanted),
      advice: "leave model.num_classes out: it follows the data set",
    };
  },
};

/** Classes of the network; null where only the data can tell. */
export function networkClasses(config: Config, registry: Registry): Surroundings["classes"] {
  const wanted = config.model.num_classes;
  if (wanted !== null) return { count: wanted, from: "model.num_classes" };
  const there = datasetClasses(config, registry);
  return there === null ? null : { count: there, from: "data.dataset" };
}

function datasetClasses({ data }: Config, registry: Registry): number | null {
  const { type, ...options } = data.dataset;
  return registry.get("dataset", type).info?.(options).classes.length ?? null;
}
