import type { Config } from "../../config/sections.ts";

/** Options that every schedule has, beside its own (section `schedule` of a config). */
export type CommonScheduleOptions = Pick<Config["schedule"], "iterations" | "warmup">;

/**
 * What a rate is multiplied with at the start of a run: `ratio` at iteration 0, rising linearly to 1 at
 * iteration `warmup.iterations`; the schedule goes on underneath (mmcv's `warmup: linear`).
 */
export function warmupFactor(iteration: number, warmup: CommonScheduleOptions["warmup"]): number {
  if (iteration >= warmup.iterations) return 1;
  return 1 - (1 - iteration / warmup.iterations) * (1 - warmup.ratio);
}
