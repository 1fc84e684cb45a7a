import type { Tensor4D } from "@tensorflow/tfjs";
import type { DatasetInfo, EvaluationSample } from "../datasets/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import type { ClassMetrics, ConstantGuess, MetricName, Metrics } from "./metrics.ts";

/** [height, width] in pixels. */
export type Size = readonly [height: number, width: number];

/** What inference needs of a network; a Segmentor is one. */
export interface InferenceNetwork {
  readonly context: NetworkContext;
  /** Normalised images [batch, height, width, 3] → logits [batch, h, w, classes] at the head's own resolution. */
  logits(images: Tensor4D): Tensor4D;
}

/** A config's `evaluation` section, as far as one evaluation depends on it. */
export interface EvaluationOptions {
  /** `whole`: one forward pass an image; `slide`: logits averaged over windows. */
  readonly mode: "whole" | "slide";
  /** Of `slide`; null: the crop size. */
  readonly window: Size | null;
  readonly stride: Size;
  /** Factors of the image's size; softmax maps of all are averaged. */
  readonly scales: readonly number[];
  /** Every scale a second time, mirrored left to right. */
  readonly flip: boolean;
  /** Metrics that are shown; boundary IoU (`mBIoU`) is only counted where it is named. */
  readonly metrics: readonly string[];
}

/** What evaluation needs of an evaluation loader. */
export interface EvaluationSource {
  readonly length: number;
  readonly info: DatasetInfo;
  samples(): AsyncIterable<EvaluationSample>;
}

/** One image that was just evaluated. */
export interface EvaluatedImage {
  readonly sample: EvaluationSample;
  /** Class numbers at the label's size, [labelHeight, labelWidth]; valid during the call. */
  readonly prediction: Int32Array;
  /** Images done, this one included. */
  readonly done: number;
  readonly total: number;
}

/** One class's scores and the pixels that they are made from. */
export interface ClassResult extends ClassMetrics {
  readonly name: string;
  /** Boundary IoU, where it was asked for. */
  readonly BIoU?: number;
  readonly labelPixels: number;
  readonly predictedPixels: number;
  readonly intersectionPixels: number;
}

/** All that an evaluation found. Scores are fractions, NaN where they are not defined. */
export interface EvaluationResult {
  readonly metrics: Metrics;
  readonly perClass: readonly ClassResult[];
  /** Names of the classes that are in no label and no prediction: in none of the means. */
  readonly absentClasses: readonly string[];
  /** Pixels by [label][prediction]. */
  readonly confusion: readonly (readonly number[])[];
  readonly constantGuess: ConstantGuess | null;
  /**
   * The head's losses, weights included, as the mean over images by their labelled pixels (for a loss of single
   * pixels: what one batch of all images would have); null where it was not counted.
   */
  readonly loss: number | null;
  readonly images: number;
  /** Pixels whose label is a class. */
  readonly pixels: number;
  readonly ignoredPixels: number;
  /** Wall-clock time of the whole evaluation, reading included. */
  readonly seconds: number;
}

export type { MetricName };
