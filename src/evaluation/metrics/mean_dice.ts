import { Type } from "typebox";
import { defineMetric } from "./contracts.ts";
import { meanOfClasses, ratio } from "./parts.ts";

/** NaN of a class that is in no label and no prediction. */
export default defineMetric({
  type: "mDice",
  description: "Dice coefficient, 2 I / (P + L), mean over classes",
  column: "Dice",
  schema: Type.Object({}),
  create: () =>
    meanOfClasses(({ intersection, prediction, label }) => ratio(2 * intersection, prediction + label)),
});
