import * as tf from "@tensorflow/tfjs";
import { requireEnvironment, type LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { openDataset, openEvaluationLoader } from "../datasets/loader.ts";
import { remarkText } from "../datasets/sample_remarks.ts";
import { SegfuseError } from "../errors.ts";
import type { EvaluatedImage, EvaluationResult } from "../evaluation/contracts.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import { metricName } from "../evaluation/metric_entry.ts";
import { inferenceSettings } from "../evaluation/inference.ts";
import type { Registry } from "../kinds.ts";
import { createReport } from "../reports/create.ts";
import { writeReport, type Report } from "../reports/index.ts";
import { pathInReport } from "../reports/paths.ts";
import type { Logger } from "../util/logger.ts";
import { versions } from "../util/versions.ts";
import { classesOf } from "../weights/metadata.ts";
import type { Metadata } from "../weights/safetensors.ts";
import { readMetadata } from "../weights/open.ts";
import { findCheckpoint, sha256Of } from "../checkpoints/folder.ts";
import { checkStop } from "../util/interruption.ts";
import { reportMetrics } from "../training/metrics.ts";
import { countParameters, loadForInference } from "./network.ts";
import type { ProgressCallback } from "../training/progress.ts";
import { comparePreprocess } from "./stored_model.ts";
import { checkWorkDir } from "../util/work_dir.ts";
import { datasetFingerprint } from "../datasets/fingerprint.ts";
import { EvaluationClock } from "../training/progress.ts";
import type { Wiring } from "../registry/scope.ts";
import { innerTokens, runParts, type Needs } from "../training/tokens.ts";
import { openRunEngine, openScope, shareNetwork } from "./scope.ts";

export interface TestInputs {
  readonly loaded: LoadedConfig;
  /** An `iter_N` folder, a work folder (its `best`, else `last`) or a weight file. */
  readonly checkpoint: string;
  /** The state dict of a PyTorch file that has several; absent: the one that fits. */
  readonly key?: string | undefined;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Gets `report.json`, `report.md` and `report.html`; null or absent: nothing is written. */
  readonly outDir?: string | null | undefined;
  /** What the report names files from; default: `outDir`. */
  readonly workDir?: string | undefined;
  readonly onProgress?: ProgressCallback | undefined;
  /** Called after each image with its prediction; awaited. */
  readonly onImage?: ((image: EvaluatedImage) => void | Promise<void>) | undefined;
  /** Aborted, `RunStopped` is thrown after the image that is being evaluated. */
  readonly stop?: AbortSignal | undefined;
  /** Registers parts in the place of the run's own. */
  readonly wire?: Wiring | undefined;
}

/** All that the report's config hash is made of; weights that training starts from are not. */
const reads = ["engine", "model", "data", "optimizer", "schedule", "evaluation", "checkpoint", "hooks"];

/**
 * Evaluates a checkpoint on the config's `data.test` and reports.
 *
 * @throws SegfuseError `SEGFUSE_CHECKPOINT`, `SEGFUSE_WEIGHTS_…` where the weights are none for this network or
 * these classes, and of data and the output folder
 */
export async function testCheckpoint(inputs: TestInputs): Promise<Report> {
  const { loaded, outDir, onImage } = inputs;
  const { config } = loaded;
  requireEnvironment(loaded, reads);
  if (outDir != null) await checkWorkDir(outDir, true);
  const { weights } = await findCheckpoint(inputs.checkpoint);
  const dataset = await openDataset(config, "test");
  const scope = openScope({ ...inputs, workDir: outDir });
  const parts = runParts(scope);
  try {
    shareNetwork(scope, dataset.info);
    scope.lazy(innerTokens.metrics, () => reportMetrics(parts));
    const { info, metrics, segmentor, logger, onProgress, stop } = parts;
    await openRunEngine(scope);
    const openLoader = () => openEvaluationLoader({ config, section: "test" });
    const loader = await scope.open(innerTokens.evaluationLoader, openLoader);
    const metadata = await loadForTest(parts, weights, inputs.key);
    const clock = new EvaluationClock(onProgress, { loss: null, lr: null });
    const result = await evaluate({
      segmentor,
      loader,
      options: config.evaluation,
      metrics,
      cropSize: config.data.crop_size,
      onImage: async (image) => {
        await onImage?.(image);
        clock.tick(image.done, image.total);
        await new Promise(setImmediate);
        checkStop(stop);
      },
    });
    const images = `${loader.length} images of split "${config.data.test.split}"`;
    for (const remark of loader.remarks()) logger.warn(remarkText(remark, images));
    const ids = Array.from({ length: dataset.length }, (_, i) => dataset.id(i));
    const fingerprint = datasetFingerprint(info.classes, ids);
    const from = inputs.workDir ?? outDir ?? null;
    const report = await reportOf(parts, result, { weights, metadata, fingerprint, from });
    if (outDir != null) await writeReport(outDir, report);
    return report;
  } finally {
    await scope.close();
  }
}

/** What was evaluated. */
interface Tested {
  /** The weight file. */
  readonly weights: string;
  readonly metadata: Metadata;
  /** Of the split. */
  readonly fingerprint: string;
  /** The folder that the report names files from. */
  readonly from: string | null;
}

async function reportOf(
  { loaded, info, segmentor, engine }: Needs<"loaded" | "info" | "segmentor" | "engine">,
  result: EvaluationResult,
  { weights, metadata, fingerprint, from }: Tested,
): Promise<Report> {
  const { config } = loaded;
  const { window, stride, scales, flip, mode } = inferenceSettings(config.evaluation, config.data.crop_size);
  return createReport({
    name: config.name,
    config: { hash: loaded.hash, path: pathInReport(loaded.path, from), seed: config.seed },
    checkpoint: {
      path: pathInReport(weights, from),
      sha256: await sha256Of(weights),
      iteration: iterationOf(metadata),
    },
    dataset: {
      type: config.data.dataset.type,
      split: config.data.test.split,
      fingerprint,
      classes: [...info.classes],
      palette: info.palette.map((colour) => [...colour]),
      ignore_index: info.ignoreIndex,
    },
    settings: {
      mode,
      window: [...window],
      stride: [...stride],
      scales: [...scales],
      flip,
      align_corners: config.model.align_corners,
      metrics: config.evaluation.metrics.map(metricName),
    },
    parameters: countParameters(segmentor),
    engine,
    versions: { ...versions(), tfjs: tf.version.tfjs },
    result,
  });
}

/** Reads the weights, whose classes must be the data set's. */
async function loadForTest(
  { loaded, info, segmentor, logger }: Needs<"loaded" | "info" | "segmentor" | "logger">,
  weights: string,
  key: string | undefined,
): Promise<Metadata> {
  const stored = await readMetadata(weights);
  checkClasses(classesOf(stored, weights), info, weights, logger);
  comparePreprocess(stored, weights, loaded.config, logger);
  return (await loadForInference(segmentor, weights, { key, logger })).metadata;
}

function checkClasses(classes: string[] | null, info: DatasetInfo, weights: string, logger: Logger): void {
  if (classes === null) {
    logger.warn(`${weights} does not name its classes: they are taken to be the data set's, in its order`);
    return;
  }
  if (classes.length === info.classes.length && classes.every((name, i) => name === info.classes[i])) return;
  throw new SegfuseError("SEGFUSE_WEIGHTS_CLASSES", "the checkpoint was trained for other classes", {
    where: weights,
    expected: `the data set's ${info.classes.length}: ${info.classes.join(", ")}`,
    found: `${classes.length}: ${classes.join(", ")}`,
  });
}

function iterationOf(metadata: Metadata): number | null {
  const iteration = Number(metadata.iteration);
  return Number.isInteger(iteration) ? iteration : null;
}
