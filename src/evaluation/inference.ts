import * as tf from "@tensorflow/tfjs";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { resizeBilinear } from "../engine/ops/index.ts";
import { classMap } from "./class_map.ts";
import type { EvaluationOptions, InferenceNetwork } from "./contracts.ts";
import { overlapMean, sliceAxis, windowStarts } from "./windows.ts";
import type { Size } from "../util/size.ts";

/** How images become class maps: the options of `evaluation`, with the window filled in. */
export interface InferenceSettings {
  readonly mode: "whole" | "slide";
  readonly window: Size;
  readonly stride: Size;
  readonly scales: readonly number[];
  readonly flip: boolean;
}

/** Settings from a config's `evaluation` section; the window is the crop size where none is named. */
export function inferenceSettings(
  options: Omit<EvaluationOptions, "metrics">,
  cropSize: Size,
): InferenceSettings {
  const { mode, window, stride, scales, flip } = options;
  return { mode, window: window ?? cropSize, stride, scales, flip };
}

/**
 * Normalised images [batch, height, width, channels] → class numbers [batch, ...size] (int32).
 *
 * - `whole`: the head's logits are resized once, straight to `size`.
 * - `slide`: each window's logits are resized to the window; where windows overlap, their mean; then to `size`.
 * - Several scales, or flip: for each scale the image is resized (bilinear, half-pixel centres, no
 *   antialiasing) to round(scale · size of the image), the logits are resized to `size`, and the softmax maps
 *   of all scales and flips are averaged with equal weights.
 *
 * `onLogits` is given the logits of the images as they are (scale 1, not mirrored), resized to `size`; they are
 * computed for it alone where the settings have no such view.
 *
 * The network's mode is the caller's affair (`context.training` is false during evaluation).
 */
export function predictClasses(
  network: InferenceNetwork,
  images: Tensor4D,
  size: Size,
  settings: InferenceSettings,
  onLogits?: (logits: Tensor4D) => void,
): Tensor3D {
  const show = (logits: Tensor4D): Tensor4D => {
    if (onLogits !== undefined) {
      tf.tidy(() => onLogits(resizeBilinear(logits, [...size], network.context.alignCorners)));
    }
    return logits;
  };
  if (onLogits !== undefined && !settings.scales.includes(1))
    tf.tidy(() => void show(viewLogits(network, images, 1, false, settings)));
  const flips = settings.flip ? [false, true] : [false];
  const views = settings.scales.flatMap((scale) =>
    flips.map((flip) => () => {
      const logits = viewLogits(network, images, scale, flip, settings);
      return scale === 1 && !flip ? show(logits) : logits;
    }),
  );
  return classMap(views, size, network.context.alignCorners);
}

/** Logits of the images at one scale, mirrored or not, in the orientation of the original. */
function viewLogits(
  network: InferenceNetwork,
  images: Tensor4D,
  scale: number,
  flip: boolean,
  settings: InferenceSettings,
): Tensor4D {
  return tf.tidy(() => {
    const [, height, width] = images.shape;
    const resized = resizeBilinear(images, [scaled(height, scale), scaled(width, scale)], false);
    const logits = imageLogits(network, flip ? tf.reverse(resized, 2) : resized, settings);
    return flip ? tf.reverse(logits, 2) : logits;
  });
}

/** Logits of the images as they are: at the head's resolution for `whole`, at the images' for `slide`. */
export function imageLogits(
  network: InferenceNetwork,
  images: Tensor4D,
  settings: InferenceSettings,
): Tensor4D {
  if (settings.mode === "whole") return tf.tidy(() => network.logits(images));
  const { window, stride } = settings;
  const [, height, width] = images.shape;
  const tops = windowStarts(height, window[0], stride[0]);
  const lefts = windowStarts(width, window[1], stride[1]);
  const [windowHeight, windowWidth] = [Math.min(window[0], height), Math.min(window[1], width)];
  return tf.tidy(() => {
    const bands = tops.map((top) =>
      tf.tidy(() => {
        const band = sliceAxis(images, 1, top, windowHeight);
        const windows = lefts.map((left) => {
          const crop = sliceAxis(band, 2, left, windowWidth);
          return tf.tidy(() =>
            resizeBilinear(network.logits(crop), [windowHeight, windowWidth], network.context.alignCorners),
          );
        });
        return overlapMean(windows, lefts, 2);
      }),
    );
    return overlapMean(bands, tops, 1);
  });
}

function scaled(pixels: number, scale: number): number {
  return Math.max(1, Math.round(pixels * scale));
}
