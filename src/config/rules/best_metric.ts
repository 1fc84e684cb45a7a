import type { Rule } from "./rule.ts";

/** Boundary IoU is costly and computed on request alone; every other metric always is. */
export const bestMetric: Rule = {
  code: "SEGFUSE_BEST_METRIC",
  *check({ checkpoint, evaluation }) {
    if (checkpoint.best !== "mBIoU" || evaluation.metrics.includes("mBIoU")) return;
    yield {
      path: ["checkpoint", "best"],
      message: "the best checkpoint is chosen by a metric that is not computed",
      expected: `mBIoU among evaluation.metrics, which are ${evaluation.metrics.join(", ")}`,
      found: "mBIoU",
      advice: `evaluation.metrics: [${[...evaluation.metrics, "mBIoU"].join(", ")}]`,
    };
  },
};
