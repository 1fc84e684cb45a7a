import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import { checkData } from "../datasets/check.ts";
import { openTrainLoader } from "../datasets/loader.ts";
import { openEngine, type Engine } from "../engine/engine.ts";
import { SegfuseError } from "../errors.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Registry } from "../registry/registry.ts";
import type { Logger } from "../util/logger.ts";
import { assign, loadWeights } from "../weights/load.ts";
import { fileShape } from "../weights/layout.ts";
import { SafetensorsFile } from "../weights/safetensors.ts";
import {
  CheckpointFolder,
  findCheckpoint,
  readState,
  type BestScore,
  type CheckpointState,
} from "./checkpoints.ts";
import type { Optimizer } from "./contracts.ts";
import type { HookList } from "./hook_list.ts";
import {
  initialiseWeights,
  networkFor,
  pretrainedFile,
  trainableParameters,
  type InitialWeights,
} from "./network.ts";
import { checkDiskSpace } from "./preflight.ts";
import type { ProgressCallback } from "./progress.ts";
import { TrainingLoop } from "./training_loop.ts";
import { TrainingStep } from "./training_step.ts";
import { checkWorkDir } from "./work_dir.ts";

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
  /** Where the first weights came from; null in a resumed run. */
  readonly weights: InitialWeights | null;
}

interface ResumePoint {
  readonly folder: string;
  readonly state: CheckpointState;
}

/**
 * Trains a network as its config says. Everything that can be found wrong beforehand is found before the first
 * update, and until that has succeeded nothing is written.
 *
 * @throws SegfuseError of configs, data, weights, the output folder, and `SEGFUSE_LOSS_NOT_FINITE`
 */
export async function train(inputs: TrainInputs): Promise<TrainResult> {
  const { loaded, workDir, registry, logger } = inputs;
  const { config } = loaded;
  const { iterations } = config.schedule;
  const resumed = await resumePoint(inputs);
  // With another config (more patience, no early stopping) a run that has stopped may go on.
  const isStopped = resumed?.state.stopped != null && resumed.state.config_hash === loaded.hash;
  if (resumed !== null && (resumed.state.iteration >= iterations || isStopped)) {
    const { best, train_seconds: trainSeconds, iteration, stopped } = resumed.state;
    const reason = stopped == null ? "" : `: ${stopped}`;
    logger.info(
      `nothing to train: ${resumed.folder} has seen ${iteration} of ${iterations} iterations${reason}`,
    );
    return { workDir, iterations, checkpoint: resumed.folder, best, losses: {}, trainSeconds, weights: null };
  }
  await checkWorkDir(workDir, mayHoldRun(inputs));
  const { info } = await checkData(config, ["train", "val"]);
  const segmentor = networkFor(config, info, registry);
  await checkDiskSpace(config, segmentor, workDir);
  const firstIteration = resumed?.state.iteration ?? 0;
  // Before the engine and the weights: meanwhile the workers start and make the first batches.
  const loader = await openTrainLoader({ config, seed: config.seed, firstIteration, iterations });
  let optimizer: Optimizer | undefined;
  let loop: TrainingLoop | undefined;
  try {
    const engine = await openEngineFor(inputs);
    const weights = await initialise(inputs, segmentor, resumed);
    const parameters = trainableParameters(segmentor);
    optimizer = registry
      .get("optimizer", config.optimizer.type)
      .create(config.optimizer as never, { parameters });
    if (resumed !== null) await loadTensors(optimizer.state(), join(resumed.folder, "optimizer.safetensors"));
    const step = new TrainingStep({
      segmentor,
      parameters,
      optimizer,
      schedule: registry.get("schedule", config.schedule.type).create(config.schedule as never),
      baseLr: config.optimizer.lr,
      accumulate: config.optimizer.accumulate,
      clipNorm: config.optimizer.clip_norm,
      seed: config.seed,
    });
    loop = new TrainingLoop({
      loaded,
      workDir,
      registry,
      engine,
      info,
      segmentor,
      optimizer,
      step,
      loader,
      weights,
      resumed: resumed?.state ?? null,
      logger,
      onProgress: inputs.onProgress,
    });
    if (resumed !== null) await loadHooks(loop.hooks, resumed, logger);
    return { workDir, iterations, weights, ...(await loop.run()) };
  } finally {
    await loop?.close();
    await loader.close();
    optimizer?.dispose();
    segmentor.dispose();
  }
}

/**
 * Checks all that `train` checks before its first update (data, network, weights, folder), and leaves nothing.
 *
 * @throws SegfuseError as `train` does
 */
export async function checkRun(inputs: TrainInputs): Promise<void> {
  const { loaded, workDir, registry } = inputs;
  const resumed = await resumePoint(inputs);
  await checkWorkDir(workDir, mayHoldRun(inputs));
  const { info } = await checkData(loaded.config, ["train", "val"]);
  const segmentor = networkFor(loaded.config, info, registry);
  await checkDiskSpace(loaded.config, segmentor, workDir);
  await openEngineFor(inputs);
  try {
    await initialise(inputs, segmentor, resumed);
  } finally {
    segmentor.dispose();
  }
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
  { loaded, logger, initFrom, allowFresh = [] }: TrainInputs,
  segmentor: Segmentor,
  resumed: ResumePoint | null,
): Promise<InitialWeights | null> {
  const { config } = loaded;
  if (resumed !== null) {
    await loadWeights(segmentor, join(resumed.folder, "model.safetensors"), { complete: true });
    tellResume(resumed, loaded, logger);
    return null;
  }
  return initialiseWeights(segmentor, {
    seed: config.seed,
    pretrained: pretrainedFile(config),
    initFrom: initFrom ?? config.init_from,
    allowFresh: [...config.allow_fresh, ...allowFresh],
    logger,
  });
}

async function resumePoint({
  workDir,
  resume,
  resumeFrom,
  logger,
}: TrainInputs): Promise<ResumePoint | null> {
  let folder: string | null = null;
  if (resumeFrom !== undefined) {
    folder = (await findCheckpoint(resumeFrom, "last")).folder;
    if (folder === null) {
      throw new SegfuseError("SEGFUSE_CHECKPOINT", "a weight file is no place to resume from", {
        where: resumeFrom,
        expected: "an iter_N folder, which holds the optimiser's state as well",
        advice: "init_from starts a new run from the weights",
      });
    }
  } else if (resume === true) {
    folder = await new CheckpointFolder(workDir).named("last");
    if (folder === null) logger.info(`nothing to resume in ${workDir}: starting from the beginning`);
  }
  return folder === null ? null : { folder, state: await readState(folder) };
}

function tellResume({ folder, state }: ResumePoint, loaded: LoadedConfig, logger: Logger): void {
  logger.info(
    `going on from ${folder} (${state.iteration} of ${loaded.config.schedule.iterations} iterations)`,
  );
  if (state.seed !== loaded.config.seed) {
    logger.warn(
      `the checkpoint was trained with seed ${state.seed}, the config has seed ${loaded.config.seed}`,
    );
  } else if (state.config_hash !== loaded.hash) {
    logger.warn(
      "the config is not the one that the checkpoint was trained with; its values count from here on",
    );
  }
}

/** Gives hooks what the checkpoint holds of them; a hook that the run did not have begins anew. */
async function loadHooks(hooks: HookList, { folder, state }: ResumePoint, logger: Logger): Promise<void> {
  hooks.loadStates(state.hooks ?? {});
  for (const { name, tensors } of hooks.withTensors()) {
    const path = join(folder, `${name}.safetensors`);
    if (existsSync(path)) await loadTensors(tensors, path);
    else logger.warn(`the checkpoint holds nothing of the hook ${name}, which begins anew`);
  }
}

/** @throws SegfuseError `SEGFUSE_WEIGHTS_SHAPE` where a tensor is missing or has another shape */
async function loadTensors(tensors: ReadonlyMap<string, Parameter>, path: string): Promise<void> {
  const file = await SafetensorsFile.open(path);
  try {
    for (const [name, parameter] of tensors) {
      const wanted = fileShape(parameter.layout, parameter.shape);
      const found = file.entries.get(name)?.shape;
      if (found?.join() !== wanted.join()) {
        throw new SegfuseError("SEGFUSE_WEIGHTS_SHAPE", "a checkpoint's state does not fit the config", {
          where: path,
          expected: `${name} [${wanted.join(", ")}]`,
          found: found === undefined ? "nothing of that name" : `[${found.join(", ")}]`,
        });
      }
      assign(parameter, await file.readFloats(name));
    }
  } finally {
    await file.close();
  }
}
