import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor3D } from "@tensorflow/tfjs";
import { Type } from "typebox";
import { SegfuseError } from "../errors.ts";
import type { ComponentRule, RuleFinding, Surroundings } from "../registry/record.ts";

// What several losses share: options of one name and meaning, and how labels become masks.

/** The option of every loss; several losses of a head are a weighted sum by it. */
export const weightOption = {
  weight: Type.Number({ minimum: 0, default: 1, description: "what the loss is multiplied by" }),
};

/** A factor for each class. `what` says what it multiplies. */
export const classWeightsOption = (what: string) => ({
  class_weights: Type.Union([Type.Array(Type.Number({ minimum: 0 }), { minItems: 1 }), Type.Null()], {
    default: null,
    description: `a factor for ${what}, one number per class; null: all alike`,
  }),
});

const misfit = "class weights do not fit the classes";

/** Class weights are one number a class, and not all 0. */
export const classWeightsRule: ComponentRule<{ class_weights: readonly number[] | null }> = {
  code: "SEGFUSE_CLASS_WEIGHTS",
  *check({ class_weights: weights }, { classes }) {
    if (weights === null) return;
    if (weights.every((weight) => weight === 0)) {
      yield {
        path: ["class_weights"],
        message: "class weights that are all 0 leave nothing to learn from",
        expected: "a number above 0 among them",
        found: JSON.stringify(weights),
      };
    }
    yield* perClassFinding("class_weights", weights, classes, misfit);
  },
};

/** What a rule says of an option that is not one number a class. @param classes null: the data set says it, once it is open */
export function* perClassFinding(
  option: string,
  numbers: readonly number[],
  classes: Surroundings["classes"],
  message: string,
): Generator<RuleFinding> {
  if (classes === null || numbers.length === classes.count) return;
  yield {
    path: [option],
    message,
    expected: `${classes.count} numbers, one per class (${classes.from === "data.dataset" ? "of data.dataset" : classes.from})`,
    found: `${numbers.length}`,
  };
}

/** @throws SegfuseError SEGFUSE_CLASS_WEIGHTS where a list is not as long as the classes */
export function requirePerClass(
  numbers: readonly number[] | null,
  numClasses: number,
  where: string,
  message = misfit,
): void {
  if (numbers === null || numbers.length === numClasses) return;
  throw new SegfuseError("SEGFUSE_CLASS_WEIGHTS", message, {
    where,
    expected: `${numClasses} numbers, one per class`,
    found: `${numbers.length}`,
  });
}

/** `weight` times the loss. */
export function weighted(loss: Scalar, weight: number): Scalar {
  return weight === 1 ? loss : tf.mul(loss, weight);
}

/**
 * Labels [batch, height, width] as one-hot codes [batch, pixels, classes] (zeros where a pixel has no label)
 * and as a mask [batch, pixels, 1] of the pixels that have one.
 */
export function labelMasks(
  labels: Tensor3D,
  numClasses: number,
  ignoreIndex: number,
): { oneHot: Tensor; labelled: Tensor } {
  const [batch, height, width] = labels.shape;
  const flat = tf.reshape(labels, [batch, height * width]);
  const labelled = tf.cast(tf.notEqual(flat, ignoreIndex), "float32").expandDims<Tensor>(2);
  // Beside the labels, so that an ignore index below the number of classes is no class.
  const oneHot = tf.mul(tf.oneHot(flat, numClasses).toFloat(), labelled);
  return { oneHot, labelled };
}
