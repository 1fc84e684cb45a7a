import { Type } from "typebox";
import { type ClassCounts, defineMetric } from "./contracts.ts";
import { ratio, sum } from "./parts.ts";

/** Share of all pixels that are right; NaN without labelled pixels. */
export function pixelAccuracy(counts: readonly ClassCounts[]): number {
  return ratio(sum(counts.map((c) => c.intersection)), sum(counts.map((c) => c.label)));
}

export default defineMetric({
  type: "aAcc",
  description: "share of all labelled pixels that are right",
  schema: Type.Object({}),
  create: () => ({ compute: ({ counts }) => pixelAccuracy(counts) }),
});
