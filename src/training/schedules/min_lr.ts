import { Type } from "typebox";

/**
 * The option of schedules that end above 0. `paramwise` multiplies the whole curve: a parameter with `lr_mult`
 * 10 ends at ten times this.
 */
export const minLrOption = Type.Number({
  minimum: 0,
  default: 0,
  description: "the rate that the decay ends at",
});
