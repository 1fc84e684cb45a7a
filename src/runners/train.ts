import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BestScore, CheckpointState } from "../checkpoints/folder.ts";
import { checkSameRun, findResumePoint, loadState, type ResumePoint } from "../checkpoints/resume.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/sections.ts";
import { datasetFingerprint } from "../datasets/fingerprint.ts";
import { openDataset, openTrainLoader } from "../datasets/loader.ts";
import type { Engine } from "../engine/engine.ts";
import type { Registry } from "../kinds.ts";
import type { Scope, Wiring } from "../registry/scope.ts";
import { initialiseWeights, startOf, type InitialWeights } from "../training/initial_weights.ts";
import type { ProgressCallback } from "../training/progress.ts";
import { innerTokens, runParts, type Needs, type RunParts } from "../training/tokens.ts";
import { trialUpdate, type TrialUpdate } from "../training/trial_update.ts";
import { RunStopped } from "../util/interruption.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion } from "../util/versions.ts";
import { checkWorkDir } from "../util/work_dir.ts";
import { loadWeights } from "../weights/load.ts";
import {
  availableMemory,
  memoryWarning,
  preflight,
  type MemoryEstimate,
  type Preflight,
} from "./preflight/index.ts";
import { openRunEngine, openScope, shareLoop, shareTraining } from "./scope.ts";

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
  /** Registers parts in the place of the run's own. */
  readonly wire?: Wiring | undefined;
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
  const scope = openScope(inputs);
  const parts = runParts(scope);
  const { loaded, workDir, logger, stop } = parts;
  const { iterations } = loaded.config.schedule;
  try {
    const resumed = await scope.open(innerTokens.resumed, () => resumePoint(scope, inputs));
    if (resumed !== null && isFinished(resumed.state, loaded)) return nothingToTrain(parts, resumed);
    await checkWorkDir(workDir, mayHoldRun(inputs));
    const { memory } = await preflight({ scope, ...start(inputs, resumed) });
    await openFingerprint(scope);
    // Before the engine and the weights: meanwhile the workers start and make the first batches.
    await openLoader(scope, resumed?.state.iteration ?? 0, iterations);
    tellEngine(await openRunEngine(scope), logger);
    if (stop?.aborted === true) throw new RunStopped(resumed?.state.iteration ?? null, stop.reason);
    checkMemory(memory, parts);
    await scope.open(innerTokens.weights, () => initialise(parts, inputs));
    shareTraining(scope);
    shareLoop(scope);
    if (resumed !== null) await restore(parts, resumed);
    const earlierSeconds = resumed?.state.train_seconds ?? 0;
    return { workDir, iterations, weights: parts.weights, earlierSeconds, ...(await parts.loop.run()) };
  } finally {
    await scope.close();
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
  const scope = openScope(inputs);
  const parts = runParts(scope);
  try {
    const resumed = await scope.open(innerTokens.resumed, () => resumePoint(scope, inputs));
    await checkWorkDir(parts.workDir, mayHoldRun(inputs));
    const found = await preflight({ scope, ...start(inputs, resumed), samples: Infinity });
    tellEngine(await openRunEngine(scope), parts.logger);
    checkMemory(found.memory, parts);
    await scope.open(innerTokens.weights, () => initialise(parts, inputs));
    const iteration = resumed?.state.iteration ?? 0;
    if (iteration >= parts.loaded.config.schedule.iterations) return { ...found, update: null };
    await openLoader(scope, iteration, iteration + 1);
    shareTraining(scope);
    return { ...found, update: await trialUpdate(parts, iteration) };
  } finally {
    await scope.close();
  }
}

/** What the run goes on from, if anything: a whole checkpoint of this very run. */
async function resumePoint(
  scope: Scope,
  { resume = false, resumeFrom, allowChange = [] }: TrainInputs,
): Promise<ResumePoint | null> {
  const { loaded, workDir, logger } = runParts(scope);
  const point = await findResumePoint({ workDir, resume, resumeFrom, logger });
  if (point !== null) checkSameRun(point, loaded, await openFingerprint(scope), allowChange, logger);
  return point;
}

/** With another config (more patience, no early stopping) a run that has stopped early may go on. */
function isFinished(state: CheckpointState, { config, hash }: LoadedConfig): boolean {
  if (state.pending !== null) return false;
  return (
    state.iteration >= config.schedule.iterations || (state.stopped !== null && state.config_hash === hash)
  );
}

/** The result of a run whose last update is made already. */
function nothingToTrain(
  { loaded, workDir, logger }: Needs<"loaded" | "workDir" | "logger">,
  { folder, state }: ResumePoint,
): TrainResult {
  const { iterations } = loaded.config.schedule;
  const { best, train_seconds: trainSeconds, iteration, stopped } = state;
  const reason = stopped === null ? "" : `: ${stopped}`;
  logger.info(`nothing to train: ${folder} has seen ${iteration} of ${iterations} iterations${reason}`);
  return {
    workDir,
    iterations,
    checkpoint: folder,
    best,
    losses: {},
    trainSeconds,
    earlierSeconds: trainSeconds,
    weights: null,
  };
}

/** What a new run starts from. */
function start({ loaded, initFrom, allowFresh = [] }: TrainInputs, resumed: ResumePoint | null) {
  return { initFrom: resumed === null ? (initFrom ?? loaded.config.init_from) : null, allowFresh };
}

function mayHoldRun({ resume, resumeFrom }: TrainInputs): boolean {
  return resume === true || resumeFrom !== undefined;
}

async function openLoader(scope: Scope, firstIteration: number, iterations: number): Promise<void> {
  const { loaded, seed } = runParts(scope);
  const { config } = loaded;
  await scope.open(innerTokens.loader, () => openTrainLoader({ config, seed, firstIteration, iterations }));
}

function tellEngine({ backend, version, device }: Engine, logger: Logger): void {
  logger.info(`engine: ${backend} ${version}, ${device}`);
}

/** The machine's memory says nothing where a GPU holds the tensors. */
function checkMemory(estimate: MemoryEstimate | null, { engine, logger }: Needs<"engine" | "logger">): void {
  if (estimate === null || engine.device === "GPU") return;
  const warning = memoryWarning(estimate, availableMemory());
  if (warning !== null) logger.warn(warning);
}

/** Gives the network its values; null where they come from the checkpoint that a run goes on from. */
async function initialise(
  { loaded, registry, segmentor, resumed, seed, logger }: RunParts,
  { initFrom, allowFresh = [] }: TrainInputs,
): Promise<InitialWeights | null> {
  const { config } = loaded;
  if (resumed !== null) {
    await loadWeights(segmentor, join(resumed.folder, "model.safetensors"), { complete: true });
    tellResume(resumed, loaded, logger);
    return null;
  }
  const first = startOf(config, registry);
  return initialiseWeights(segmentor, {
    ...first,
    seed,
    initFrom: initFrom ?? first.initFrom,
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
function openFingerprint(scope: Scope): Promise<string> {
  const { config } = runParts(scope).loaded;
  return scope.open(innerTokens.fingerprint, () => fingerprintOf(config));
}

async function fingerprintOf(config: Config): Promise<string> {
  const dataset = await openDataset(config, "train");
  const ids = Array.from({ length: dataset.length }, (_, i) => dataset.id(i));
  return datasetFingerprint(dataset.info.classes, ids);
}

/**
 * Gives the optimiser and the hooks what the checkpoint holds of them; a hook that the run did not have begins anew.
 * The optimiser's state is there when the hooks are made, as the weights are.
 */
async function restore(parts: RunParts, { folder, state }: ResumePoint): Promise<void> {
  await loadState(parts.optimizer.state(), join(folder, "optimizer.safetensors"));
  const { hooks, logger } = parts;
  hooks.loadStates(state.hooks);
  for (const { name, tensors } of hooks.withTensors()) {
    const path = join(folder, `${name}.safetensors`);
    if (existsSync(path)) await loadState(tensors, path);
    else logger.warn(`the checkpoint holds nothing of the hook ${name}, which begins anew`);
  }
}
