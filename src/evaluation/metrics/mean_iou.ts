import { Type } from "typebox";
import { type ClassCounts, defineMetric } from "./contracts.ts";
import { meanOfClasses, ratio } from "./parts.ts";

/** Intersection over union: I / (P + L − I); NaN where the class is in no label and no prediction. */
export function classIou({ intersection, prediction, label }: ClassCounts): number {
  return ratio(intersection, prediction + label - intersection);
}

export default defineMetric({
  type: "mIoU",
  description: "intersection over union, I / (P + L − I), mean over classes",
  column: "IoU",
  schema: Type.Object({}),
  create: () => meanOfClasses(classIou),
});
