import { Type } from "typebox";
import { warmupFactor, type CommonScheduleOptions } from "./warmup.ts";
import { defineSchedule } from "./contracts.ts";

/** rate(t) = lr. */
export default defineSchedule({
  type: "constant",
  description: "The same learning rate over the whole run.",
  schema: Type.Object({}),
  create: (options) => {
    const { iterations, warmup } = options as typeof options & CommonScheduleOptions;
    return { iterations, rate: (iteration, baseLr) => baseLr * warmupFactor(iteration, warmup) };
  },
});
