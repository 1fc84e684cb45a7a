import { Type } from "typebox";
import { type ClassCounts, defineMetric } from "./contracts.ts";
import { meanOfClasses, ratio } from "./parts.ts";

/** Share of the label's pixels that were found, I / L: the class's recall; NaN where the class is in no label. */
export function classAccuracy({ intersection, label }: ClassCounts): number {
  return ratio(intersection, label);
}

export default defineMetric({
  type: "mAcc",
  description: "share of each class's labelled pixels that were found, I / L, mean over classes",
  column: "Acc",
  schema: Type.Object({}),
  create: () => meanOfClasses(classAccuracy),
});
