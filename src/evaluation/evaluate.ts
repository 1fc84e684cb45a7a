import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { EvaluationSample } from "../datasets/contracts.ts";
import { BoundaryCounts } from "./boundary.ts";
import { Confusion } from "./confusion.ts";
import { constantGuess } from "./constant_guess.ts";
import type {
  ClassCounts,
  EvaluatedImage,
  EvaluationOptions,
  EvaluationResult,
  EvaluationSource,
  InferenceNetwork,
} from "./contracts.ts";
import { inferenceSettings } from "./inference.ts";
import type { MetricList } from "./metric_list.ts";
import { classCounts } from "./metrics/parts.ts";
import { MeanLoss } from "./mean_loss.ts";
import { predictImages } from "./predict_images.ts";
import type { Size } from "../util/size.ts";

export interface EvaluateInputs {
  readonly segmentor: InferenceNetwork;
  readonly loader: EvaluationSource;
  readonly options: EvaluationOptions;
  readonly metrics: MetricList;
  /**
   * The loss of logits [batch, height, width, classes] at the labels' size, labels [batch, height, width] (int32);
   * default: none is counted. With several scales or flip it is that of the image as it is.
   */
  readonly loss?: ((logits: Tensor4D, labels: Tensor3D) => Scalar) | undefined;
  /** [height, width]; the window of `slide` where the options name none. */
  readonly cropSize: Size;
  /**
   * Consecutive images of one size that are forwarded together. 1 by default: on a processor more gain little,
   * cost memory, and the last bits of a score may depend on an image's neighbours.
   */
  readonly batchSize?: number;
  /** Called after each image, in order; awaited. */
  readonly onImage?: (image: EvaluatedImage) => void | Promise<void>;
}

/**
 * Evaluates a network on a split: the one path that training, `segfuse test` and studies share. Images are
 * streamed; what stays are counts. The network is in evaluation mode meanwhile and gets its mode back.
 *
 * @throws SegfuseError SEGFUSE_LABEL_VALUE, SEGFUSE_WINDOW_STRIDE, SEGFUSE_METRIC, and what the loader throws
 */
export async function evaluate(inputs: EvaluateInputs): Promise<EvaluationResult> {
  const { segmentor, loader, options, metrics, onImage } = inputs;
  const started = performance.now();
  const settings = inferenceSettings(options, inputs.cropSize);
  const confusion = new Confusion(loader.info.classes.length, loader.info.ignoreIndex);
  const boundary = metrics.needsBoundary ? new BoundaryCounts(loader.info.classes.length) : null;
  const loss = inputs.loss === undefined ? null : new MeanLoss(inputs.loss, loader.info.ignoreIndex);
  let done = 0;

  const wasTraining = segmentor.context.training;
  segmentor.context.training = false;
  try {
    for await (const batch of batches(loader.samples(), inputs.batchSize ?? 1)) {
      const { labelHeight, labelWidth } = batch[0]!;
      const size: Size = [labelHeight, labelWidth];
      const predictions = await predictImages(segmentor, batch, size, settings, loss?.of(batch));
      for (const [i, sample] of batch.entries()) {
        const pixels = sample.labelHeight * sample.labelWidth;
        const prediction = predictions.subarray(i * pixels, (i + 1) * pixels);
        confusion.add(prediction, sample.label);
        boundary?.add(prediction, sample.label, [sample.labelHeight, sample.labelWidth]);
        done++;
        await onImage?.({ sample, prediction, done, total: loader.length });
      }
    }
  } finally {
    segmentor.context.training = wasTraining;
  }
  const seconds = (performance.now() - started) / 1000;
  const { classes } = loader.info;
  return {
    ...summarise({ confusion, boundary, metrics, classes, images: done, seconds }),
    loss: loss?.mean ?? null,
  };
}

/** What an evaluation has counted; `seconds` and `images` are passed on. */
export interface Counted {
  readonly confusion: Confusion;
  readonly boundary: BoundaryCounts | null;
  readonly metrics: MetricList;
  readonly classes: readonly string[];
  readonly images: number;
  readonly seconds: number;
}

/** Scores from counts. @throws SegfuseError `SEGFUSE_METRIC` */
export function summarise({ confusion, metrics, classes, images, ...counted }: Counted): EvaluationResult {
  const rows = confusion.toRows();
  const counts = classCounts(rows);
  const scores = metrics.compute(rows, counted.boundary?.counts() ?? null);
  const perClass = scores.perClass.map(({ own, extra }, c) => ({
    name: classes[c]!,
    ...own,
    ...(extra && { extra }),
    ...pixelsOf(counts[c]!),
  }));
  return {
    metrics: scores.metrics,
    extraMetrics: metrics.extra,
    perClass,
    absentClasses: perClass.filter(({ IoU }) => Number.isNaN(IoU)).map(({ name }) => name),
    confusion: rows,
    constantGuess: constantGuess(rows),
    loss: null,
    images,
    pixels: confusion.pixels,
    ignoredPixels: confusion.ignoredPixels,
    seconds: counted.seconds,
  };
}

function pixelsOf({ label, prediction, intersection }: ClassCounts) {
  return { labelPixels: label, predictedPixels: prediction, intersectionPixels: intersection };
}

/** Consecutive samples of one image size and one label size, at most `limit` together. */
async function* batches(
  samples: AsyncIterable<EvaluationSample>,
  limit: number,
): AsyncGenerator<EvaluationSample[]> {
  let batch: EvaluationSample[] = [];
  for await (const sample of samples) {
    const [first] = batch;
    if (first !== undefined && (batch.length >= limit || !sameSizes(first, sample))) {
      yield batch;
      batch = [];
    }
    batch.push(sample);
  }
  if (batch.length > 0) yield batch;
}

function sameSizes(a: EvaluationSample, b: EvaluationSample): boolean {
  return (
    a.height === b.height &&
    a.width === b.width &&
    a.labelHeight === b.labelHeight &&
    a.labelWidth === b.labelWidth
  );
}
