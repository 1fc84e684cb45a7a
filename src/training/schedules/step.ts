import { Type } from "typebox";
import { warmupFactor, type CommonScheduleOptions } from "./warmup.ts";
import { defineSchedule } from "./contracts.ts";

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
