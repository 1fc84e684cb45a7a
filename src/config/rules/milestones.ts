import type { Rule } from "./rule.ts";

/** A milestone after the run's end would never be reached. */
export const milestones: Rule = {
  code: "SEGFUSE_COMPONENT_OPTIONS",
  *check({ schedule }) {
    const all = schedule["milestones"];
    if (!Array.isArray(all)) return;
    for (const [index, milestone] of (all as number[]).entries()) {
      if (milestone < schedule.iterations) continue;
      yield {
        path: ["schedule", "milestones", index],
        message: "a milestone is not within the run",
        expected: `less than ${schedule.iterations} (schedule.iterations)`,
        found: String(milestone),
      };
    }
  },
};
