import type { LoadedConfig } from "../config/load.ts";
import type { Convention, Cost } from "../cost/index.ts";
import { openEngine } from "../engine/engine.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Report } from "../reports/index.ts";
import { configClasses, numberedClasses } from "../runners/classes.ts";
import { configCost } from "../runners/cost.ts";
import { networkFor } from "../runners/network.ts";
import type { PredictionFailure } from "../runners/prediction/failures.ts";
import { predictFiles, type ImagePrediction, type PredictInputs } from "../runners/predict.ts";
import type { ProgressCallback } from "../training/progress.ts";
import { testCheckpoint } from "../runners/test.ts";
import { train as trainRun, type TrainResult } from "../runners/train.ts";
import { silentLogger, type Logger } from "../util/logger.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { initialiseWeights, startOf } from "../training/initial_weights.ts";

// What programs call: the runners' work with everything optional left out. A config comes from `loadConfig` and
// carries the components that it may name.

/** What every call may be given. */
export interface CallOptions {
  /** Gets what a command would print to standard error. Default: nobody. */
  readonly logger?: Logger | undefined;
  /** Called after each update and each evaluated or predicted image. */
  readonly onProgress?: ProgressCallback | undefined;
}

export interface BuildOptions extends CallOptions {
  /**
   * The classes to build for: the data set's description, or their number alone (the ignored label is then 255, or
   * 65535 where there are more than 255 classes).
   * Default: those of the config: what the data set says, else `model.num_classes`.
   */
  readonly classes?: DatasetInfo | number | undefined;
}

/**
 * Builds a config's network on its engine, with weights: the backbone's `pretrained` file, then `init_from`, and
 * fresh values from the seed for the rest, as training starts.
 *
 * `forward` takes normalised images, float32 [batch, height, width, channels] (`model.in_channels`, after
 * `model.preprocess`), to logits
 * [batch, height, width, classes]; call it inside `tf.tidy`. It starts in evaluation mode (`context.training` false).
 * `dispose()` frees its variables.
 *
 * @throws SegfuseError of the data set, of weight files that do not fit, of components that do not fit each other,
 *   and `SEGFUSE_ENGINE_…`
 */
export async function build(loaded: LoadedConfig, options: BuildOptions = {}): Promise<Segmentor> {
  const { config, registry } = loaded;
  const { classes, logger = silentLogger } = options;
  const info =
    typeof classes === "number"
      ? numberedClasses(classes)
      : (classes ?? (await configClasses(loaded, registry)).info);
  const segmentor = networkFor(config, info, registry);
  await openEngine(config.engine, logger);
  await initialiseWeights(segmentor, {
    seed: config.seed,
    ...startOf(config, registry),
    allowFresh: config.allow_fresh,
    logger,
  });
  return segmentor;
}

export interface CostOptions {
  /** [height, width] of the image, in pixels. Default [512, 512]. */
  readonly size?: readonly [number, number] | undefined;
  /** What counts as an operation. Default `mac`: multiply-adds of convolutions; `mmseg`: as mmsegmentation counts. */
  readonly convention?: Convention | undefined;
}

/**
 * Counts what a config's network costs for one image, as `segfuse cost` does: parameters and operations by part, bytes
 * of activations. It traces shapes and needs neither engine nor weights, nor data where the config says the classes.
 *
 * @throws SegfuseError of components that do not fit each other, of an operation that the trace does not know
 */
export function countCost(loaded: LoadedConfig, options: CostOptions = {}): Promise<Cost> {
  const { size = [512, 512], convention = "mac" } = options;
  return configCost(loaded, loaded.registry, { size, convention });
}

export interface TrainOptions extends CallOptions {
  /** The run's output folder; checkpoints, log and the resolved config go there. Default: `work_dirs/NAME`. */
  readonly workDir?: string | undefined;
  /** Go on from the folder's last checkpoint; where there is none, start. Default false. */
  readonly resume?: boolean | undefined;
}

/**
 * Trains, as `segfuse train` does.
 *
 * @returns where the run is, its last losses (of the weighted parts, not in per cent) and its best score, a fraction
 * @throws SegfuseError before anything is written where data, weights, network or folder are wrong
 *   (`SEGFUSE_WORK_DIR_NOT_EMPTY`: a run is there and `resume` is not set), `SEGFUSE_LOSS_NOT_FINITE` later
 */
export function train(loaded: LoadedConfig, options: TrainOptions = {}): Promise<TrainResult> {
  const { workDir = `work_dirs/${loaded.config.name}`, logger = silentLogger, onProgress, resume } = options;
  return trainRun({ loaded, registry: loaded.registry, workDir, logger, onProgress, resume });
}

export interface EvaluateOptions extends CallOptions {
  /** Gets `report.json`, `report.md` and `report.html`. Default: nothing is written. */
  readonly outDir?: string | undefined;
  /** The state dict of a PyTorch file that has several. Default: the one that fits. */
  readonly key?: string | undefined;
}

/**
 * Evaluates a checkpoint on the config's test split, as `segfuse test` does.
 *
 * @param checkpoint an `iter_N` folder, a work folder (its best, else its last) or a weight file
 * @returns the report; scores are fractions 0..1, null where a score is not defined, times are seconds
 * @throws SegfuseError `SEGFUSE_CHECKPOINT`, `SEGFUSE_WEIGHTS_…`, `SEGFUSE_DATA_…`
 */
export function evaluate(
  loaded: LoadedConfig,
  checkpoint: string,
  options: EvaluateOptions = {},
): Promise<Report> {
  const { logger = silentLogger, onProgress, outDir, key } = options;
  return testCheckpoint({ loaded, registry: loaded.registry, checkpoint, key, logger, onProgress, outDir });
}

export interface PredictOptions extends CallOptions {
  /** Gets `NAME_overlay.png` and `NAME_classes.png` for each image. Default: nothing is written. */
  readonly outDir?: string | undefined;
  /** Sliding windows (true) or whole images (false). Default: as the config's `evaluation.mode` says. */
  readonly slide?: boolean | undefined;
  /** Called for an image that cannot be predicted, while the others are. Default: the first such image ends the call. */
  readonly onFailure?: ((failure: PredictionFailure) => void) | undefined;
  /** What an EXIF orientation of an image means. Default: as the config's data set has it, else "apply". */
  readonly exif?: PredictInputs["exif"];
  /** The state dict of a PyTorch file that has several. Default: the one that fits. */
  readonly key?: string | undefined;
}

/**
 * Predicts images without labels, as `segfuse predict` does and as {@link evaluate} predicts those of the data set: with
 * the config's windows, scales and flips (`evaluation`).
 *
 * @param checkpoint as for {@link evaluate}
 * @param images files, folders of images, and patterns such as `frames/*.png`
 * @returns for each image its classes at its own size, [height, width] row by row; to hold no more than one at a time
 *   call it image by image
 * @throws SegfuseError `SEGFUSE_DATA_FILE` and `SEGFUSE_DATA_IMAGE` for what is no image (without `onFailure`),
 *   `SEGFUSE_PREDICT_IMAGES` for images that do not go together, and of the checkpoint
 */
export async function predict(
  loaded: LoadedConfig,
  checkpoint: string,
  images: readonly string[],
  options: PredictOptions = {},
): Promise<ImagePrediction[]> {
  const { logger = silentLogger, outDir = null, ...more } = options;
  const predictions: ImagePrediction[] = [];
  const onImage = (prediction: ImagePrediction) => void predictions.push(prediction);
  const { registry } = loaded;
  await predictFiles({ loaded, registry, checkpoint, images, outDir, logger, onImage, ...more });
  return predictions;
}
