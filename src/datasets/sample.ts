import type { DeferredSample, DeferredSource, RawSample, Sample } from "./contracts.ts";
import { labelArray, labelValues } from "./label_array.ts";
import { resizeImage, resizeLabel, type Extent, type Window } from "./resample.ts";

/** Channels of an image [height, width, channels]. */
export function channelsOf({
  image,
  height,
  width,
}: Pick<DeferredSource, "image" | "height" | "width">): number {
  return image.length / (height * width);
}

/** A decoded sample at its own size, nothing copied. */
export function deferRaw({ id, image, label }: RawSample): DeferredSample {
  const size = {
    height: image.height,
    width: image.width,
    labelHeight: label.height,
    labelWidth: label.width,
  };
  const valid = { top: 0, left: 0, height: image.height, width: image.width };
  return { ...size, source: { ...size, id, image: image.data, label: label.data, valid } };
}

/** A sample on which further resizes can be deferred. */
export function defer(sample: Sample): DeferredSample {
  const { height, width, labelHeight, labelWidth } = sample;
  return { source: sample, height, width, labelHeight, labelWidth };
}

/** As it is where no resize is due, else with it done: two resizes one after the other are two, not one. */
export function undeferred(deferred: DeferredSample): DeferredSample {
  const { source, height, width, labelHeight, labelWidth } = deferred;
  const image = height === source.height && width === source.width;
  const label = labelHeight === source.labelHeight && labelWidth === source.labelWidth;
  return image && label ? deferred : defer(settle(deferred));
}

/** Does the resize that is due. */
export function settle(deferred: DeferredSample): Sample {
  const { source, height, width, labelHeight, labelWidth } = deferred;
  const image = new Float32Array(height * width * channelsOf(source));
  resizeImage(source.image, source, deferred, { top: 0, left: 0, height, width }, image, width);
  let label = source.label;
  if (labelHeight !== source.labelHeight || labelWidth !== source.labelWidth) {
    label = labelArray(labelHeight * labelWidth, labelValues(source.label) - 1);
    const window = { top: 0, left: 0, height: labelHeight, width: labelWidth };
    resizeLabel(source.label, labelSize(source), labelSize(deferred), window, label, labelWidth);
  }
  return {
    id: source.id,
    height,
    width,
    image,
    label,
    labelHeight,
    labelWidth,
    valid: scaledValid(deferred),
  };
}

/**
 * Cuts a window out of the resized sample, at once and without making the rest. Where the sample ends before
 * `size` does, the image is 0 and the label `ignoreIndex` (they are added at the bottom and the right).
 */
export function settleWindow(
  deferred: DeferredSample,
  offset: Window,
  size: Extent,
  ignoreIndex: number,
): Sample {
  const { source } = deferred;
  const image = new Float32Array(size.height * size.width * channelsOf(source));
  const label = labelArray(size.height * size.width, Math.max(ignoreIndex, labelValues(source.label) - 1));
  label.fill(ignoreIndex);
  resizeImage(source.image, source, deferred, offset, image, size.width);
  resizeLabel(source.label, labelSize(source), deferred, offset, label, size.width);
  return {
    id: source.id,
    ...size,
    image,
    label,
    labelHeight: size.height,
    labelWidth: size.width,
    valid: intersect(scaledValid(deferred), offset),
  };
}

const labelSize = (s: { labelHeight: number; labelWidth: number }): Extent => ({
  height: s.labelHeight,
  width: s.labelWidth,
});

/** The valid rectangle after the resize, to whole pixels. */
function scaledValid({ source, height, width }: DeferredSample): Window {
  const { valid } = source;
  const y = (value: number) => Math.round((value * height) / source.height);
  const x = (value: number) => Math.round((value * width) / source.width);
  const top = y(valid.top);
  const left = x(valid.left);
  return { top, left, height: y(valid.top + valid.height) - top, width: x(valid.left + valid.width) - left };
}

/** The part of `valid` inside `window`, in the window's pixels. */
function intersect(valid: Window, window: Window): Window {
  const top = Math.max(valid.top, window.top);
  const left = Math.max(valid.left, window.left);
  const bottom = Math.min(valid.top + valid.height, window.top + window.height);
  const right = Math.min(valid.left + valid.width, window.left + window.width);
  return {
    top: top - window.top,
    left: left - window.left,
    height: Math.max(bottom - top, 0),
    width: Math.max(right - left, 0),
  };
}
