import type { Tensor4D } from "@tensorflow/tfjs";
import type { DatasetInfo, EvaluationSample } from "../datasets/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import type { Size } from "../util/size.ts";
import type { Better } from "./metrics/contracts.ts";

export type { Better, ClassCounts, EvaluationCounts, Metric, MetricInputs } from "./metrics/contracts.ts";

/** What inference needs of a network; a Segmentor is one. */
export interface InferenceNetwork {
  readonly context: NetworkContext;
  /** Normalised images [batch, height, width, channels] → logits [batch, h, w, classes] at the head's own resolution. */
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

/** One class's scores, as fractions. NaN where a score is not defined. */
export interface ClassMetrics {
  readonly IoU: number;
  readonly Acc: number;
  readonly Dice: number;
  readonly Precision: number;
  readonly Recall: number;
  readonly Fscore: number;
  /** Boundary IoU, where it was asked for. */
  readonly BIoU?: number;
}

/**
 * Scores of a whole evaluation by metric, as fractions; NaN where a score is not defined. segfuse's own are all there,
 * boundary IoU (`mBIoU`) and those of plug-ins where they were asked for.
 */
export interface Metrics {
  readonly mIoU: number;
  readonly mAcc: number;
  readonly aAcc: number;
  readonly fwIoU: number;
  readonly mDice: number;
  readonly mFscore: number;
  readonly mPrecision: number;
  readonly mRecall: number;
  readonly kappa: number;
  readonly mBIoU?: number;
  readonly [name: string]: number | undefined;
}

/** What a reader must know of a metric that is not one that every report has: a plug-in's, or one with options. */
export interface ExtraMetric {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly better: Better;
  /** As the config has them, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The head of its column by class; null: it has none of its own. */
  readonly column: string | null;
}

/** What a constant guess of the commonest class of the evaluated labels scores. */
export interface ConstantGuess {
  readonly class: number;
  readonly mIoU: number;
  readonly mAcc: number;
  readonly aAcc: number;
}

/** One class's scores and the pixels that they are made from. */
export interface ClassResult extends ClassMetrics {
  readonly name: string;
  /** By metric, where an extra one has scores by class. */
  readonly extra?: Readonly<Record<string, number>>;
  readonly labelPixels: number;
  readonly predictedPixels: number;
  readonly intersectionPixels: number;
}

/** All that an evaluation found. Scores are fractions, NaN where they are not defined. */
export interface EvaluationResult {
  readonly metrics: Metrics;
  readonly extraMetrics: readonly ExtraMetric[];
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
