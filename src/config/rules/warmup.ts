import { hasOwnOption } from "../../registry/record.ts";
import type { Rule } from "./rule.ts";

/** The warm-up that every schedule has is a part of the run; a schedule's own option of that name is its own affair. */
export const warmup: Rule = {
  code: "SEGFUSE_WARMUP",
  *check({ schedule }, registry) {
    if (hasOwnOption(registry.get("schedule", schedule.type), "warmup")) return;
    if (schedule.warmup.iterations < schedule.iterations) return;
    yield {
      path: ["schedule", "warmup", "iterations"],
      message: "the warm-up is as long as the run",
      expected: `fewer than ${schedule.iterations} (schedule.iterations)`,
      found: String(schedule.warmup.iterations),
    };
  },
};
