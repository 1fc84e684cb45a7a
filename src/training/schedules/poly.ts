import { Type } from "typebox";
import { minLrOption, minLrRule } from "./min_lr.ts";
import { warmupFactor, type CommonScheduleOptions } from "./warmup.ts";
import { defineSchedule } from "./contracts.ts";

/**
 * Polynomial decay: rate(t) = (lr − min_lr)·(1 − t/T)^power + min_lr for t = 0..T−1 (paper 4.1, power 0.9).
 * With min_lr 0 it is PyTorch's `PolynomialLR(total_iters=T, power)`, with one mmcv's `poly` by iteration.
 * The last update still has a rate above min_lr.
 */
export default defineSchedule({
  type: "poly",
  paper: "4.1",
  description: "Polynomial decay of the learning rate over the whole run.",
  schema: Type.Object({
    power: Type.Number({ minimum: 0, default: 0.9, description: "exponent; 1: linear, 0: constant" }),
    min_lr: minLrOption,
  }),
  rules: [minLrRule],
  create: (options) => {
    const { iterations, warmup, power, min_lr } = options as typeof options & CommonScheduleOptions;
    return {
      iterations,
      rate(iteration, baseLr) {
        const decay = Math.max(0, 1 - iteration / iterations) ** power;
        return ((baseLr - min_lr) * decay + min_lr) * warmupFactor(iteration, warmup);
      },
    };
  },
});
