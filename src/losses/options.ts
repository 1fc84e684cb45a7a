import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor3D } from "@tensorflow/tfjs";
import { Type } from "typebox";
import { SegfuseError } from "../errors.ts";

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

/** @throws SegfuseError SEGFUSE_CLASS_WEIGHTS where a list is not as long as the classes */
export function requirePerClass(
  numbers: readonly number[] | null,
  numClasses: number,
  where: string,
  message = "class weights do not fit the classes",
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
