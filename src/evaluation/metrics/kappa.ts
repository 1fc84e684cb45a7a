import { Type } from "typebox";
import { defineMetric } from "./contracts.ts";
import { ratio, sum } from "./parts.ts";
import { pixelAccuracy } from "./pixel_accuracy.ts";

/** Cohen's kappa: 1 is perfect, 0 as good as chance, below 0 worse. */
export default defineMetric({
  type: "kappa",
  description: "Cohen's kappa: how far aAcc is above what the class frequencies give by chance",
  schema: Type.Object({}),
  create: () => ({
    compute({ counts }) {
      const pixels = sum(counts.map((c) => c.label));
      const chance = ratio(sum(counts.map((c) => c.label * c.prediction)), pixels * pixels);
      return ratio(pixelAccuracy(counts) - chance, 1 - chance);
    },
  }),
});
