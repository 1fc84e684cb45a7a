import type { Rule } from "./rule.ts";

/** A warm-up is a part of the run. */
export const warmup: Rule = {
  code: "SEGFUSE_WARMUP",
  *check({ schedule }) {
    if (schedule.warmup.iterations < schedule.iterations) return;
    yield {
      path: ["schedule", "warmup", "iterations"],
      message: "the warm-up is as long as the run",
      expected: `fewer than ${schedule.iterations} (schedule.iterations)`,
      found: String(schedule.warmup.iterations),
    };
  },
};
