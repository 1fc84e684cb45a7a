import type { ComponentConfig } from "../../registry/component_ref.ts";
import type { Config } from "../sections.ts";
import { classCount } from "./num_classes.ts";
import type { Path } from "../tree.ts";
import type { Rule } from "./rule.ts";

/** Class weights are one number a class. */
export const classWeights: Rule = {
  code: "SEGFUSE_CLASS_WEIGHTS",
  *check(config, registry) {
    const { model } = config;
    const count = classCount(config, registry);
    if (count === null) return; // the data set says it, once it is open
    for (const [head, place] of headsOf(model)) {
      for (const [index, loss] of head.losses.entries()) {
        const weights = loss["class_weights"];
        if (!Array.isArray(weights) || weights.length === count) continue;
        yield {
          path: [...place, "losses", index, "class_weights"],
          message: "class weights do not fit the classes",
          expected: `${count} numbers, one per class (${model.num_classes === null ? "of data.dataset" : "model.num_classes"})`,
          found: `${weights.length}`,
        };
      }
    }
  },
};

function headsOf(model: Config["model"]): [head: { losses: ComponentConfig[] }, place: Path][] {
  const auxiliary = model.auxiliary_head;
  const place: Path = ["model", "auxiliary_head"];
  const main: [{ losses: ComponentConfig[] }, Path] = [model.head, ["model", "head"]];
  if (auxiliary === null) return [main];
  if (!Array.isArray(auxiliary)) return [main, [auxiliary, place]];
  return [main, ...auxiliary.map((head, i): [{ losses: ComponentConfig[] }, Path] => [head, [...place, i]])];
}
