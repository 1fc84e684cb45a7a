import { Type } from "typebox";
import { minLrOption, minLrRule } from "./min_lr.ts";
import { warmupFactor, type CommonScheduleOptions } from "./warmup.ts";
import { defineSchedule } from "./contracts.ts";

/**
 * Half a cosine (Loshchilov and Hutter 2017, without restarts): rate(t) = min_lr + (lr − min_lr)·(1 + cos(π·t/T))/2
 * for t = 0..T−1, PyTorch's `CosineAnnealingLR(T_max=T, eta_min=min_lr)`.
 */
export default defineSchedule({
  type: "cosine",
  description: "Cosine decay of the learning rate over the whole run.",
  schema: Type.Object({ min_lr: minLrOption }),
  rules: [minLrRule],
  create: (options) => {
    const { iterations, warmup, min_lr } = options as typeof options & CommonScheduleOptions;
    return {
      iterations,
      rate(iteration, baseLr) {
        const share = (1 + Math.cos((Math.PI * Math.min(iteration, iterations)) / iterations)) / 2;
        return (min_lr + (baseLr - min_lr) * share) * warmupFactor(iteration, warmup);
      },
    };
  },
});
