import { Type } from "typebox";
import { warmupFactor, type CommonScheduleOptions } from "./warmup.ts";
import type { ComponentRule } from "../../registry/record.ts";
import { defineSchedule } from "./contracts.ts";

/** A milestone after the run's end would never be reached. */
const milestoneRule: ComponentRule<{ milestones: readonly number[] }> = {
  *check({ milestones }, { iterations }) {
    for (const [index, milestone] of milestones.entries()) {
      if (milestone < iterations) continue;
      yield {
        path: ["milestones", index],
        message: "a milestone is not within the run",
        expected: `less than ${iterations} (schedule.iterations)`,
        found: String(milestone),
      };
    }
  },
};

/** rate(t) = lr · gamma^(number of milestones ≤ t): PyTorch's `MultiStepLR`, with iterations for epochs. */
export default defineSchedule({
  type: "step",
  description: "The learning rate is multiplied by gamma at each milestone.",
  schema: Type.Object({
    milestones: Type.Array(Type.Integer({ minimum: 1 }), {
      minItems: 1,
      uniqueItems: true,
      description: "iterations from which on the rate is lower",
    }),
    gamma: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.1,
      description: "factor at each milestone",
    }),
  }),
  rules: [milestoneRule],
  create: (options) => {
    const { iterations, warmup, milestones, gamma } = options as typeof options & CommonScheduleOptions;
    return {
      iterations,
      rate(iteration, baseLr) {
        const passed = milestones.filter((milestone) => milestone <= iteration).length;
        return baseLr * gamma ** passed * warmupFactor(iteration, warmup);
      },
    };
  },
});
