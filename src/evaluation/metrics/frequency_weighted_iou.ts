import { Type } from "typebox";
import { defineMetric } from "./contracts.ts";
import { classIou } from "./mean_iou.ts";
import { ratio, sum } from "./parts.ts";

export default defineMetric({
  type: "fwIoU",
  description: "intersection over union, mean over classes by their labelled pixels",
  schema: Type.Object({}),
  create: () => ({
    compute: ({ counts }) =>
      ratio(
        sum(counts.map((c) => (c.label === 0 ? 0 : c.label * classIou(c)))),
        sum(counts.map((c) => c.label)),
      ),
  }),
});
