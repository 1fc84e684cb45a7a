import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/sections.ts";
import { openDataset, openTrainLoader } from "../datasets/loader.ts";
import { openEngine, type Engine } from "../engine/engine.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../kinds.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion } from "../util/versions.ts";
import { loadWeights } from "../weights/load.ts";
import type { BestScore, CheckpointState } from "../checkpoints/folder.ts";
import type { HookList } from "../training/hook_list.ts";
import { RunStopped } from "../util/interruption.ts";
import {
  availableMemory,
  memoryWarning,
  preflight,
  type MemoryEstimate,
  type Preflight,
} from "./preflight/index.ts";
import type { ProgressCallback } from "../training/progress.ts";
import { checkSameRun, findResumePoint, loadState, type ResumePoint } from "../checkpoints/resume.ts";
import { TrainingLoop } from "../training/loop.ts";
import { trainingParts } from "../training/parts.ts";
import { trialUpdate, type TrialUpdate } from "../training/trial_update.ts";
import { checkWorkDir } from "../util/work_dir.ts";
import { datasetFingerprint } from "../datasets/fingerprint.ts";
import { initialiseWeights, startOf, type InitialWeights } from "../training/initial_weights.ts";
import type { Optimizer } from "../training/optimizers/contracts.ts";

export interface TrainInputs {
  readonly loaded: LoadedConfig;
  /** The run's output folder; made when the first update has succeeded. */
  readonly workDir: string;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly onProgress?: ProgressCallback | undefined;
  /** A checkpoint to start from, instead of the config's `init_from`; of a work folder its `last`. */
  readonly initFrom?: string | undefined;
  /** Added to the config's `allow_fresh`. */
  readonly allowFresh?: readonly string[] | undefined;
  /** Go on from the work folder's `last`; where there is none, start and say so. */
  readonly resume?: boolean | undefined;
  /** Go on from this checkpoint (an `iter_N` folder or a work folder). */
  readonly resumeFrom?: string | undefined;
  /**
   * Keys of the config (patterns, `*` any characters) that need not be as in the checkpoint that the run goes on
   * from. What they change, it changes from there on.
   */
  readonly allowChange?: readonly string[] | undefined;
  /** Aborted, the run finishes its iteration, stores a checkpoint and throws `RunStopped` with the reason. */
  readonly stop?: AbortSignal | undefined;
}

export interface TrainResult {
  readonly workDir: string;
  readonly iterations: number;
  /** Folder of the last checkpoint. */
  readonly checkpoint: string;
  readonly best: BestScore | null;
  /** The last update's losses; empty where nothing was left to train. */
  readonly losses: Readonly<Record<string, number>>;
  /** Wall-clock time, evaluations and checkpoints included, over all resumes. */
  readonly trainSeconds: number;
  /** What of these was spent before, by the runs that this one goes on from. */
  readonly earlierSeconds: number;
  /** Where the first weights came from; null in a resumed run. */
  readonly weights: InitialWeights | null;
}

/**
 * Trains a network as its config says. Everything that can be found wrong beforehand is found before the first
 * update, and until that has succeeded nothing is written.
 *
 * @throws SegfuseError of configs, data, weights, the output folder, of checkpoints, and `SEGFUSE_LOSS_NOT_FINITE`
 * @throws RunStopped where `stop` was aborted before the run has ended
 */
export async function train(inputs: TrainInputs): Promise<TrainResult> {
  const { loaded, workDir, registry, logger } = inputs;
  const { config } = loaded;
  const { iterations } = config.schedule;
  const resumed = await resumePoint(inputs);
  if (resumed !== null && isFinished(resumed.state, loaded)) {
    const { best, train_seconds: trainSeconds, iteration, stopped } = resumed.state;
    const reason = stopped === null ? "" : `: ${stopped}`;
    logger.info(
      `nothing to train: ${resumed.folder} has seen ${iteration} of ${iterations} iterations${reason}`,
    );
    return {
      workDir,
      iterations,
      checkpoint: resumed.folder,
      best,
      losses: {},
      trainSeconds,
      earlierSeconds: trainSeconds,
      weights: null,
    };
  }
  await checkWorkDir(workDir, mayHoldRun(inputs));
  const { info, segmentor, memory } = await preflight(preflightInputs(inputs, resumed));
  const fingerprint = await trainFingerprint(config);
  const firstIteration = resumed?.state.iteration ?? 0;
  // Before the engine and the weights: meanwhile the workers start and make the first batches.
  const loader = await openTrainLoader({ config, seed: config.seed, firstIteration, iterations });
  let optimizer: Optimizer | undefined;
  let loop: TrainingLoop | undefined;
  try {
    const engine = await openEngineFor(inputs);
    if (inputs.stop?.aborted === true)
      throw new RunStopped(resumed?.state.iteration ?? null, inputs.stop.reason);
    checkMemory(memory, engine, logger);
    const weights = await initialise(inputs, segmentor, resumed);
    const parts = trainingParts(config, segmentor, registry);
    const { step } = parts;
    optimizer = parts.optimizer;
    if (resumed !== null) await loadState(optimizer.state(), join(resumed.folder, "optimizer.safetensors"));
    loop = new TrainingLoop({
      loaded,
      workDir,
      registry,
      engine,
      info,
      fingerprint,
      segmentor,
      optimizer,
      step,
      loader,
      weights,
      resumed,
      logger,
      onProgress: inputs.onProgress,
      stop: inputs.stop,
    });
    if (resumed !== null) await loadHooks(loop.hooks, resumed, logger);
    const earlierSeconds = resumed?.state.train_seconds ?? 0;
    return { workDir, iterations, weights, earlierSeconds, ...(await loop.run()) };
  } finally {
    await loop?.close();
    await loader.close();
    optimizer?.dispose();
    segmentor.dispose();
  }
}

/** What a check found, and what its one update showed; null where nothing is left to train. */
export type CheckedRun = Preflight & { readonly update: TrialUpdate | null };

/**
 * Checks all that `train` checks before its first update (data, network, weights, folder), makes that update on the
 * run's engine, and leaves nothing. Every sample of the data is read, not a few.
 *
 * @returns what was found; its network is disposed of
 * @throws SegfuseError as `train` does
 */
export async function checkRun(inputs: TrainInputs): Promise<CheckedRun> {
  const { workDir, logger } = inputs;
  const resumed = await resumePoint(inputs);
  await checkWorkDir(workDir, mayHoldRun(inputs));
  const found = await preflight({ ...preflightInputs(inputs, resumed), samples: Infinity });
  try {
    const engine = await openEngineFor(inputs);
    checkMemory(found.memory, engine, logger);
    await initialise(inputs, found.segmentor, resumed);
    const { loaded, registry } = inputs;
    const update = await trialUpdate(loaded.config, found.segmentor, registry, resumed?.state.iteration ?? 0);
    return { ...found, update };
  } finally {
    found.segmentor.dispose();
  }
}

/** What the run goes on from, if anything: a whole checkpoint of this very run. */
async function resumePoint(inputs: TrainInputs): Promise<ResumePoint | null> {
  const { loaded, workDir, resume = false, resumeFrom, allowChange = [], logger } = inputs;
  const point = await findResumePoint({ workDir, resume, resumeFrom, logger });
  if (point === null) return null;
  checkSameRun(point, loaded, await trainFingerprint(loaded.config), allowChange, logger);
  return point;
}

/** With another config (more patience, no early stopping) a run that has stopped early may go on. */
function isFinished(state: CheckpointState, { config, hash }: LoadedConfig): boolean {
  if (state.pending !== null) return false;
  return (
    state.iteration >= config.schedule.iterations || (state.stopped !== null && state.config_hash === hash)
  );
}

function preflightInputs(inputs: TrainInputs, resumed: ResumePoint | null) {
  const { loaded, workDir, registry, logger, initFrom, allowFresh = [] } = inputs;
  const { config } = loaded;
  const start = resumed === null ? (initFrom ?? config.init_from) : null;
  return { config, workDir, registry, logger, initFrom: start, allowFresh };
}

/** The machine's memory says nothing where a GPU holds the tensors. */
function checkMemory(estimate: MemoryEstimate | null, engine: Engine, logger: Logger): void {
  if (estimate === null || engine.device === "GPU") return;
  const warning = memoryWarning(estimate, availableMemory());
  if (warning !== null) logger.warn(warning);
}

function mayHoldRun({ resume, resumeFrom }: TrainInputs): boolean {
  return resume === true || resumeFrom !== undefined;
}

async function openEngineFor({ loaded, logger }: TrainInputs): Promise<Engine> {
  const engine = await openEngine(loaded.config.engine, logger);
  logger.info(`engine: ${engine.backend} ${engine.version}, ${engine.device}`);
  return engine;
}

/** Gives the network its values; null where they come from the checkpoint that a run goes on from. */
async function initialise(
  { loaded, registry, logger, initFrom, allowFresh = [] }: TrainInputs,
  segmentor: Segmentor,
  resumed: ResumePoint | null,
): Promise<InitialWeights | null> {
  const { config } = loaded;
  if (resumed !== null) {
    await loadWeights(segmentor, join(resumed.folder, "model.safetensors"), { complete: true });
    tellResume(resumed, loaded, logger);
    return null;
  }
  const start = startOf(config, registry);
  return initialiseWeights(segmentor, {
    ...start,
    seed: config.seed,
    initFrom: initFrom ?? start.initFrom,
    allowFresh: [...config.allow_fresh, ...allowFresh],
    logger,
  });
}

function tellResume({ folder, state }: ResumePoint, loaded: LoadedConfig, logger: Logger): void {
  logger.info(
    `going on from ${folder} (${state.iteration} of ${loaded.config.schedule.iterations} iterations)`,
  );
  const version = segfuseVersion();
  if (state.version !== version)
    logger.warn(`it was trained by segfuse ${state.version}, this is ${version}`);
}

/** What tells a training split from another: its classes and samples. */
async function trainFingerprint(config: Config): Promise<string> {
  const dataset = await openDataset(config, "train");
  const ids = Array.from({ length: dataset.length }, (_, i) => dataset.id(i));
  return datasetFingerprint(dataset.info.classes, ids);
}

/** Gives hooks what the checkpoint holds of them; a hook that the run did not have begins anew. */
async function loadHooks(hooks: HookList, { folder, state }: ResumePoint, logger: Logger): Promise<void> {
  hooks.loadStates(state.hooks);
  for (const { name, tensors } of hooks.withTensors()) {
    const path = join(folder, `${name}.safetensors`);
    if (existsSync(path)) await loadState(tensors, path);
    else logger.warn(`the checkpoint holds nothing of the hook ${name}, which begins anew`);
  }
}
