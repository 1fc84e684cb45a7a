import * as tf from "@tensorflow/tfjs";
import type { EvaluationSample } from "../datasets/contracts.ts";
import { channelsOf } from "../datasets/sample.ts";
import type { InferenceNetwork } from "./contracts.ts";
import { type InferenceSettings, predictClasses } from "./inference.ts";
import type { Size } from "../util/size.ts";

/** A normalised image, [height, width, channels]. */
export type NormalisedImage = Pick<EvaluationSample, "height" | "width" | "image">;

/**
 * Predicts images of one size together.
 *
 * @param size [height, width] of the class maps
 * @param onLogits given the logits [batch, ...size, classes] of the images at scale 1
 * @returns class numbers, [batch, ...size]; nothing stays on the engine
 */
export async function predictImages(
  network: InferenceNetwork,
  images: readonly NormalisedImage[],
  size: Size,
  settings: InferenceSettings,
  onLogits?: (logits: tf.Tensor4D) => void,
): Promise<Int32Array> {
  const classes = tf.tidy(() => predictClasses(network, stackImages(images), size, settings, onLogits));
  try {
    return await classes.data<"int32">();
  } finally {
    classes.dispose();
  }
}

/** Images of one size as one tensor [batch, height, width, channels]. */
export function stackImages(images: readonly NormalisedImage[]): tf.Tensor4D {
  const [first] = images;
  if (first === undefined) throw new RangeError("a batch needs at least one image");
  const shape: [number, number, number, number] = [
    images.length,
    first.height,
    first.width,
    channelsOf(first),
  ];
  if (images.length === 1) return tf.tensor4d(first.image, shape);
  const all = new Float32Array(images.length * first.image.length);
  for (const [i, { image }] of images.entries()) all.set(image, i * first.image.length);
  return tf.tensor4d(all, shape);
}
