import { defineMetric } from "./contracts.ts";
import meanAccuracy from "./mean_accuracy.ts";

export default defineMetric({
  ...meanAccuracy,
  type: "mRecall",
  description: "the same as mAcc, under the name that is usual beside precision",
  column: "Recall",
});
