import { Type } from "typebox";
import type { ComponentRule } from "../../registry/record.ts";

/**
 * The option of schedules that end above 0. `paramwise` multiplies the whole curve: a parameter with `lr_mult`
 * 10 ends at ten times this.
 */
export const minLrOption = Type.Number({
  minimum: 0,
  default: 0,
  description: "the rate that the decay ends at",
});

/** A schedule that decays must not end above where it starts. */
export const minLrRule: ComponentRule<{ min_lr: number }> = {
  *check({ min_lr: least }, { baseLr }) {
    if (least <= baseLr) return;
    yield {
      path: ["min_lr"],
      message: "the learning rate would rise over the run",
      expected: `at most ${baseLr} (optimizer.lr)`,
      found: String(least),
    };
  },
};
