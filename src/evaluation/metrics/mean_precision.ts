import { Type } from "typebox";
import { defineMetric } from "./contracts.ts";
import { meanOfClasses, ratio } from "./parts.ts";

/** NaN of a class that is in no prediction. */
export default defineMetric({
  type: "mPrecision",
  description: "share of each class's predicted pixels that are right, I / P, mean over classes",
  column: "Precision",
  schema: Type.Object({}),
  create: () => meanOfClasses(({ intersection, prediction }) => ratio(intersection, prediction)),
});
