import { headsOf } from "./heads.ts";
import { classCount } from "./num_classes.ts";
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
        if (!Array.isArray(weights)) continue;
        const path = [...place, "losses", index, "class_weights"];
        if (weights.length > 0 && weights.every((weight) => weight === 0)) {
          const message = "class weights that are all 0 leave nothing to learn from";
          yield { path, message, expected: "a number above 0 among them", found: JSON.stringify(weights) };
        }
        if (weights.length === count) continue;
        yield {
          path,
          message: "class weights do not fit the classes",
          expected: `${count} numbers, one per class (${model.num_classes === null ? "of data.dataset" : "model.num_classes"})`,
          found: `${weights.length}`,
        };
      }
    }
  },
};
