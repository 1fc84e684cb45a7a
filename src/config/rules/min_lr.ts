import type { Rule } from "./rule.ts";

/** A schedule that decays must not end above where it starts. */
export const minLr: Rule = {
  code: "SEGFUSE_COMPONENT_OPTIONS",
  *check({ schedule, optimizer }) {
    const least = schedule["min_lr"];
    if (typeof least !== "number" || least <= optimizer.lr) return;
    yield {
      path: ["schedule", "min_lr"],
      message: "the learning rate would rise over the run",
      expected: `at most ${optimizer.lr} (optimizer.lr)`,
      found: String(least),
    };
  },
};
