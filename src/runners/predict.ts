import { basename, dirname, extname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import type { LoadedConfig } from "../config/load.ts";
import type { Dataset, DatasetInfo, RawSample, Sample } from "../datasets/contracts.ts";
import { readImage } from "../datasets/image_file.ts";
import { openDataset } from "../datasets/loader.ts";
import { Pipeline } from "../datasets/pipeline.ts";
import { openEngine } from "../engine/engine.ts";
import { SegfuseError } from "../errors.ts";
import { inferenceSettings } from "../evaluation/inference.ts";
import { predictImages, stackImages } from "../evaluation/predict.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../registry/registry.ts";
import { encodeIndex, encodeRgb, overlay } from "../reports/pictures.ts";
import type { Logger } from "../util/logger.ts";
import { writeFileAtomic } from "../util/atomic_file.ts";
import { loadWeights } from "../weights/load.ts";
import { classesOf } from "../weights/metadata.ts";
import { openWeights } from "../weights/open.ts";
import { writeSafetensors } from "../weights/safetensors.ts";
import { findCheckpoint } from "./checkpoints.ts";
import { networkFor } from "./network.ts";
import { checkWorkDir, makeWorkDir } from "./work_dir.ts";

export interface PredictInputs {
  readonly loaded: LoadedConfig;
  /** An `iter_N` folder, a work folder (its `best`, else `last`) or a weight file. */
  readonly checkpoint: string;
  /** Image files. */
  readonly images: readonly string[];
  /** Gets `NAME_overlay.png` and `NAME_classes.png` for each image; null: nothing is written. */
  readonly outDir: string | null;
  /** Called after each image, in order; awaited. */
  readonly onImage?: ((image: ImagePrediction) => void | Promise<void>) | undefined;
  /** Sliding windows instead of whole images. */
  readonly slide?: boolean | undefined;
  /** A safetensors file for the logits of one whole-image forward pass of all images, which then need one size. */
  readonly logits?: string | undefined;
  readonly registry: Registry;
  readonly logger: Logger;
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
}

/** What was written for one image. */
export interface PredictedImage {
  readonly image: string;
  readonly overlay: string;
  readonly classes: string;
}

/**
 * Predicts images that need no labels. They go through the transforms of `data.test`, as in an evaluation;
 * class maps are at the image's own size. Classes and colours are the checkpoint's, or the data set's where it
 * names none.
 *
 * @throws SegfuseError SEGFUSE_PREDICT_IMAGES where two images have the same name, or `logits` is asked for
 * images of different size; and of the checkpoint, the images and the output folder
 */
export async function predictFiles(inputs: PredictInputs): Promise<PredictedImage[]> {
  const { loaded, images, outDir, registry, logger } = inputs;
  const { config } = loaded;
  const names = outDir === null ? [] : outputNames(images);
  if (outDir !== null) await checkWorkDir(outDir, true);
  if (inputs.logits !== undefined) await checkWorkDir(dirname(inputs.logits), true);
  const { weights } = await findCheckpoint(inputs.checkpoint);
  const info = (await storedInfo(weights)) ?? (await openDataset(config, "test")).info;
  const segmentor = networkFor(config, info, registry);
  await openEngine(config.engine, logger);
  try {
    await loadWeights(segmentor, weights, { complete: true, except: ["auxiliary_head.*"] });
    segmentor.context.training = false;
    const files = new ImageFiles(images, info);
    const pipeline = Pipeline.create(
      files,
      config.data.test.transforms,
      config.model.preprocess,
      { cropSize: config.data.crop_size, ignoreIndex: info.ignoreIndex },
      (type) => registry.get("transform", type),
    );
    const options = { ...config.evaluation, mode: inputs.slide === true ? "slide" : "whole" } as const;
    const settings = inferenceSettings(options, config.data.crop_size);
    if (inputs.logits !== undefined) {
      // First: images that do not go together are known before anything is written.
      const samples: Sample[] = [];
      for (const i of images.keys()) samples.push(await pipeline.run(i, [config.seed, i]));
      checkSizes(samples);
      await writeLogits(inputs.logits, segmentor, samples, info);
    }
    const written: PredictedImage[] = [];
    for (const [i, image] of images.entries()) {
      const sample = await pipeline.run(i, [config.seed, i]);
      const raw = await readImage(image);
      const { height, width } = raw;
      const classes = await predictImages(segmentor, [sample], [height, width], settings);
      await inputs.onImage?.({ image, height, width, classes, info });
      if (outDir === null) continue;
      const paths = {
        image,
        overlay: join(outDir, `${names[i]!}_overlay.png`),
        classes: join(outDir, `${names[i]!}_classes.png`),
      };
      const blended = overlay(raw.data, classes, info.palette);
      await writeFileAtomic(paths.overlay, await encodeRgb(blended, height, width));
      await writeFileAtomic(paths.classes, encodeIndex(classes, height, width));
      written.push(paths);
    }
    return written;
  } finally {
    segmentor.dispose();
  }
}

/** @throws SegfuseError `SEGFUSE_PREDICT_IMAGES` where the network would not see all images at one size */
function checkSizes(samples: readonly Sample[]): void {
  const [first] = samples;
  const other = samples.find(({ height, width }) => height !== first?.height || width !== first.width);
  if (first === undefined || other === undefined) return;
  throw new SegfuseError("SEGFUSE_PREDICT_IMAGES", "--logits needs images of one size", {
    where: other.id,
    expected: `${first.width}×${first.height}, as ${first.id}`,
    found: `${other.width}×${other.height}`,
    advice: "predict images of one size at a time, or resize them in data.test.transforms",
  });
}

/** `logits` [batch, height, width, classes] of one whole-image forward pass, at the size that the network saw. */
async function writeLogits(
  path: string,
  segmentor: Segmentor,
  samples: readonly Sample[],
  info: DatasetInfo,
): Promise<void> {
  const logits = tf.tidy(() => segmentor.forward(stackImages(samples)));
  try {
    const data = Float32Array.from(await logits.data<"float32">());
    const metadata = {
      classes: JSON.stringify(info.classes),
      images: JSON.stringify(samples.map(({ id }) => id)),
    };
    makeWorkDir(dirname(path));
    await writeSafetensors(path, { logits: { shape: logits.shape, data } }, metadata);
  } finally {
    logits.dispose();
  }
}

/** Classes and colours that a weight file names; null where it names none. */
async function storedInfo(weights: string): Promise<DatasetInfo | null> {
  const file = await openWeights(weights);
  try {
    const classes = classesOf(file.metadata, weights);
    const { palette, ignore_index: ignoreIndex } = file.metadata;
    if (classes === null || palette === undefined || ignoreIndex === undefined) return null;
    return {
      classes,
      palette: JSON.parse(palette) as DatasetInfo["palette"],
      ignoreIndex: Number(ignoreIndex),
    };
  } finally {
    await file.close();
  }
}

/** File names without their ending, which name the output. */
function outputNames(images: readonly string[]): string[] {
  const names = images.map((image) => basename(image, extname(image)));
  const second = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (second === -1) return names;
  throw new SegfuseError("SEGFUSE_PREDICT_IMAGES", "two images have the same name", {
    where: images[second]!,
    found: `${images[names.indexOf(names[second]!)]!} as well`,
    advice: "predict them into different folders",
  });
}

/** Images without labels, as a data set: the label is class 0 everywhere and nobody looks at it. */
class ImageFiles implements Dataset {
  constructor(
    private readonly images: readonly string[],
    readonly info: DatasetInfo,
  ) {}

  get length(): number {
    return this.images.length;
  }

  id(index: number): string {
    return this.images[index]!;
  }

  files(): null {
    return null;
  }

  async load(index: number): Promise<RawSample> {
    const image = await readImage(this.id(index));
    const { height, width } = image;
    return { id: this.id(index), image, label: { height, width, data: new Uint8Array(height * width) } };
  }
}
