import { dirname } from "node:path";
import { requireEnvironment, type LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/sections.ts";
import type { DatasetInfo, Sample } from "../datasets/contracts.ts";
import { defaultExifMode, type ExifMode } from "../datasets/orientation.ts";
import { Pipeline } from "../datasets/pipeline.ts";
import { SegfuseError } from "../errors.ts";
import { inferenceSettings } from "../evaluation/inference.ts";
import type { Registry } from "../kinds.ts";
import { optionsOf } from "../registry/make.ts";
import { inferenceText } from "../reports/facts.ts";
import { encodeIndex, encodeRgb, overlay } from "../reports/pictures.ts";
import type { Logger } from "../util/logger.ts";
import { writeFileAtomic } from "../util/atomic_file.ts";
import { readMetadata } from "../weights/open.ts";
import { findCheckpoint } from "../checkpoints/folder.ts";
import { configClasses } from "./classes.ts";
import { checkStop } from "../util/interruption.ts";
import { loadForInference } from "./network.ts";
import { openRunEngine, openScope, shareNetwork } from "./scope.ts";
import { runParts, type Needs } from "../training/tokens.ts";
import type { Wiring } from "../registry/scope.ts";
import type { PredictionFailure } from "./prediction/failures.ts";
import { countFrames } from "./prediction/frames.ts";
import { ImageFiles } from "./prediction/image_files.ts";
import { inputImages, resultPaths, type InputImage } from "./prediction/input_images.ts";
import { checkSizes, writeLogits } from "./prediction/logits.ts";
import type { ProgressCallback } from "../training/progress.ts";
import { comparePreprocess, storedClasses } from "./stored_model.ts";
import { checkWorkDir, makeWorkDir } from "../util/work_dir.ts";
import { predictImages } from "../evaluation/predict_images.ts";
import { EvaluationClock } from "../training/progress.ts";

export interface PredictInputs {
  readonly loaded: LoadedConfig;
  /** An `iter_N` folder, a work folder (its `best`, else `last`) or a weight file. */
  readonly checkpoint: string;
  /** The state dict of a PyTorch file that has several; absent: the one that fits. */
  readonly key?: string | undefined;
  /** Image files, folders of images and patterns: see {@link inputImages}. */
  readonly images: readonly string[];
  /** Gets `NAME_overlay.png` and `NAME_classes.png` for each image; null: nothing is written. */
  readonly outDir: string | null;
  /** Called after each image, in order; awaited. */
  readonly onImage?: ((image: ImagePrediction) => void | Promise<void>) | undefined;
  /** Called when an image's results are written. */
  readonly onWritten?: ((image: PredictedImage) => void) | undefined;
  /** Called for an image that cannot be predicted; the others are. Default: the first such image ends the call. */
  readonly onFailure?: ((failure: PredictionFailure) => void) | undefined;
  readonly onProgress?: ProgressCallback | undefined;
  /** Sliding windows (true) or whole images (false), whatever `evaluation.mode` says. */
  readonly slide?: boolean | undefined;
  /** What an EXIF orientation means. Default: as the config's data set has it, else "apply". */
  readonly exif?: ExifMode | undefined;
  /** A safetensors file for the logits of one whole-image forward pass of all images, which then need one size. */
  readonly logits?: string | undefined;
  /** Aborted, `RunStopped` is thrown after the image that is being predicted. */
  readonly stop?: AbortSignal | undefined;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Registers parts in the place of the run's own. */
  readonly wire?: Wiring | undefined;
}

/** One image's classes. */
export interface ImagePrediction {
  /** The image's file. */
  readonly image: string;
  readonly height: number;
  readonly width: number;
  /** Class numbers, [height, width] row by row. */
  readonly classes: Int32Array;
  /** The network's classes with their names and colours. */
  readonly info: DatasetInfo;
  /** How many frames or pages the file holds; the first of them is predicted. */
  readonly frames: number;
}

/** What was written for one image. */
export interface PredictedImage {
  readonly image: string;
  readonly overlay: string;
  readonly classes: string;
  /** As of {@link ImagePrediction}. */
  readonly frames: number;
}

/** The parts of a config that a prediction reads. */
const reads = ["engine", "model", "data.crop_size", "data.test.transforms", "evaluation"];

/**
 * Predicts images that need no labels, as `testCheckpoint` predicts those of a data set: through the transforms of
 * `data.test`, with the windows, scales and flips of `evaluation`; class maps are at the image's own size. Reads nothing of
 * the data set: classes and colours are the checkpoint's, or what the config says where it names none.
 *
 * @returns what was written, in order
 * @throws SegfuseError SEGFUSE_PREDICT_IMAGES where the images cannot be predicted together ({@link inputImages}), or
 * `logits` is asked for images of different size; and of the checkpoint, the images (without `onFailure`) and the output
 */
export async function predictFiles(inputs: PredictInputs): Promise<PredictedImage[]> {
  const { loaded, outDir } = inputs;
  const { config } = loaded;
  requireEnvironment(loaded, reads);
  const scope = openScope({ ...inputs, workDir: outDir });
  const parts = runParts(scope);
  const { registry, logger, stop } = parts;
  const exif = inputs.exif ?? exifOf(config, registry);
  try {
    const images = await inputImages(inputs.images, outDir, logger);
    if (outDir !== null) await checkWorkDir(outDir, true);
    if (inputs.logits !== undefined) await checkWorkDir(dirname(inputs.logits), true);
    const { weights } = await findCheckpoint(inputs.checkpoint);
    shareNetwork(scope, await networkInfo(parts, weights));
    const { info, segmentor } = parts;
    await openRunEngine(scope);
    await loadForInference(segmentor, weights, { key: inputs.key, logger });
    segmentor.context.training = false;
    const files = new ImageFiles(images, info, exif);
    const pipeline = Pipeline.create(
      files,
      config.data.test.transforms,
      config.model.preprocess,
      { cropSize: config.data.crop_size, ignoreIndex: info.ignoreIndex, numClasses: info.classes.length },
      (type) => registry.get("transform", type),
    );
    const read = (i: number) => pipeline.run(i, ["evaluation", i]);
    const settings = inferenceSettings(withMode(config.evaluation, inputs.slide), config.data.crop_size);
    const text = inferenceText(settings);
    // First: images that do not go together are known before anything is written or told.
    const samples = inputs.logits === undefined ? null : await readAll(images, read, inputs);
    logger.info(`predicting ${images.length} ${images.length === 1 ? "image" : "images"}: ${text}`);
    if (inputs.logits !== undefined) {
      if (text !== plainInference)
        logger.info(`--logits are of one forward pass of whole images, not of ${text}`);
      if (samples !== null) await writeLogits(inputs.logits, segmentor, samples, info);
      else logger.warn(`${inputs.logits} is not written: it would not hold all images`);
    }

    const predict = async (i: number): Promise<ImagePrediction> => {
      const image = files.id(i);
      const sample = await read(i);
      const { height, width } = files.last!;
      const frames = await countFrames(image);
      if (frames.count > 1)
        logger.warn(
          `${image} holds ${frames.count} ${frames.what}: the first is predicted, the others are not`,
        );
      const classes = await predictImages(segmentor, [sample], [height, width], settings);
      return { image, height, width, classes, info, frames: frames.count };
    };
    const clock = new EvaluationClock(parts.onProgress, { loss: null, lr: null }, "predict");
    const written: PredictedImage[] = [];
    for (const [i, image] of images.entries()) {
      const prediction = await attempt(image, () => predict(i), inputs.onFailure);
      if (prediction !== null) {
        await inputs.onImage?.(prediction);
        if (outDir !== null) {
          const paths = await writeResults(prediction, files.last!.data, resultPaths(image, outDir));
          written.push(paths);
          inputs.onWritten?.(paths);
        }
      }
      clock.tick(i + 1, images.length);
      await new Promise(setImmediate);
      checkStop(stop);
    }
    return written;
  } finally {
    await scope.close();
  }
}

/** What {@link inferenceText} calls the inference of which raw logits are. */
const plainInference = "whole images, scale 1";

function withMode<T extends { readonly mode: "whole" | "slide" }>(
  evaluation: T,
  slide: boolean | undefined,
): T {
  return slide === undefined ? evaluation : { ...evaluation, mode: slide ? "slide" : "whole" };
}

/** The checkpoint's classes, or the config's where it names none. */
async function networkInfo(
  { loaded, registry, logger }: Needs<"loaded" | "registry" | "logger">,
  weights: string,
): Promise<DatasetInfo> {
  const { config } = loaded;
  const metadata = await readMetadata(weights);
  comparePreprocess(metadata, weights, config, logger);
  const stored = storedClasses(metadata, weights);
  if (stored === null) return (await configClasses(loaded, registry)).info;
  const wanted = config.model.num_classes;
  if (wanted === null || wanted === stored.classes.length) return stored;
  throw new SegfuseError("SEGFUSE_WEIGHTS_CLASSES", "the checkpoint was trained for other classes", {
    where: weights,
    expected: `${wanted} (model.num_classes)`,
    found: `${stored.classes.length}: ${stored.classes.join(", ")}`,
    advice: "leave model.num_classes out: it follows the checkpoint",
  });
}

/** All images as the network sees them; null where some cannot be read, which is told when their turn comes. */
async function readAll(
  images: readonly InputImage[],
  read: (i: number) => Promise<Sample>,
  { onFailure }: PredictInputs,
): Promise<Sample[] | null> {
  const samples: Sample[] = [];
  for (const [i, image] of images.entries()) {
    const sample = await attempt(image, () => read(i), onFailure && (() => {}));
    if (sample !== null) samples.push(sample);
  }
  checkSizes(samples);
  return samples.length === images.length ? samples : null;
}

/** Null where the image failed and `onFailure` was told. A wrong config is wrong for all of them, and thrown. */
async function attempt<T>(
  { file }: InputImage,
  work: () => Promise<T>,
  onFailure: PredictInputs["onFailure"],
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    const isForAll = !(error instanceof Error) || (error instanceof SegfuseError && error.exitCode === 2);
    if (onFailure === undefined || isForAll) throw error;
    onFailure({ image: file, error });
    return null;
  }
}

async function writeResults(
  { image, height, width, classes, info, frames }: ImagePrediction,
  pixels: Uint8Array,
  paths: { overlay: string; classes: string },
): Promise<PredictedImage> {
  makeWorkDir(dirname(paths.overlay));
  const blended = overlay(pixels, classes, info.palette);
  await writeFileAtomic(paths.overlay, await encodeRgb(blended, height, width));
  await writeFileAtomic(paths.classes, encodeIndex(classes, height, width));
  return { image, ...paths, frames };
}

/** What the config's data set does with images that are stored turned. */
function exifOf({ data: { dataset } }: Config, registry: Registry): ExifMode {
  const record = registry.get("dataset", dataset.type);
  return record.exif?.(optionsOf(record, dataset)) ?? defaultExifMode;
}
