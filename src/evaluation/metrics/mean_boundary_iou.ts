import { Type } from "typebox";
import { defineMetric } from "./contracts.ts";
import { classIou } from "./mean_iou.ts";
import { nanMean } from "./parts.ts";

/** Boundary IoU (Cheng et al., CVPR 2021), see `BoundaryCounts`. */
export default defineMetric({
  type: "mBIoU",
  description: "intersection over union of the masks' boundaries alone, mean over classes; on request",
  column: "Boundary IoU",
  needsBoundary: true,
  schema: Type.Object({}),
  create: () => ({
    compute: ({ boundary }) => nanMean(boundary!.map(classIou)),
    perClass: ({ boundary }) => boundary!.map(classIou),
  }),
});
