import { Type } from "typebox";
import { defineMetric } from "./contracts.ts";
import { meanOfClasses, ratio } from "./parts.ts";

const schema = Type.Object({
  beta: Type.Number({
    exclusiveMinimum: 0,
    default: 1,
    description: "how many times as much recall counts as precision; 1: the Dice coefficient",
  }),
});

/** NaN of a class that is in no label and no prediction. */
export default defineMetric({
  type: "mFscore",
  description: "F-score, (1 + β²) I / (β² L + P), mean over classes",
  column: "Fscore",
  schema,
  create: ({ beta }) =>
    meanOfClasses(({ intersection, prediction, label }) =>
      ratio((1 + beta * beta) * intersection, beta * beta * label + prediction),
    ),
});
