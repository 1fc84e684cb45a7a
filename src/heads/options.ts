import { Type } from "typebox";

/** The option of every head that classifies. */
export const dropoutOption = Type.Number({
  minimum: 0,
  exclusiveMaximum: 1,
  default: 0.1,
  description: "probability that a channel is dropped before the classifier, in training",
});
