import type { Rule } from "./rule.ts";

/** Without momentum there is nothing to look ahead along; PyTorch refuses it as well. */
export const nesterov: Rule = {
  code: "SEGFUSE_COMPONENT_OPTIONS",
  *check({ optimizer }) {
    if (optimizer["nesterov"] !== true || optimizer["momentum"] !== 0) return;
    yield {
      path: ["optimizer", "nesterov"],
      message: "Nesterov's momentum needs a momentum",
      expected: "optimizer.momentum above 0",
      found: "momentum 0",
    };
  },
};
