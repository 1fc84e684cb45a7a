import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { isBetter, scoreOf } from "../evaluation/scores.ts";
import { stringifyConfig, type LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import type { TrainLoader } from "../datasets/loader.ts";
import type { Engine } from "../engine/engine.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../registry/registry.ts";
import { writeFileAtomically } from "../util/atomic_file.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion, versions } from "../util/versions.ts";
import {
  CheckpointFolder,
  type BestScore,
  type CheckpointInputs,
  type CheckpointState,
} from "./checkpoints.ts";
import type { FinishedUpdate, Optimizer, RunControl } from "./contracts.ts";
import { createHooks, type HookList } from "./hook_list.ts";
import type { InitialWeights } from "./network.ts";
import type { ProgressCallback } from "./progress.ts";
import type { RunRecord } from "./run_log.ts";
import type { TrainingStep } from "./training_step.ts";
import { Validation } from "./validation.ts";
import { makeWorkDir } from "./work_dir.ts";

export interface TrainingLoopInputs {
  readonly loaded: LoadedConfig;
  readonly workDir: string;
  readonly registry: Registry;
  readonly engine: Engine;
  readonly info: DatasetInfo;
  readonly segmentor: Segmentor;
  readonly optimizer: Optimizer;
  readonly step: TrainingStep;
  readonly loader: TrainLoader;
  /** Where the first weights came from; null in a resumed run. */
  readonly weights: InitialWeights | null;
  /** What the run goes on from; null: a new run. */
  readonly resumed: CheckpointState | null;
  readonly logger: Logger;
  readonly onProgress: ProgressCallback | undefined;
}

export interface TrainingOutcome {
  /** Folder of the last checkpoint. */
  readonly checkpoint: string;
  readonly best: BestScore | null;
  /** The newest update's losses. */
  readonly losses: Readonly<Record<string, number>>;
  /** Wall-clock time, evaluations and checkpoints included, over all resumes. */
  readonly trainSeconds: number;
}

/**
 * The loop over updates. What happens around them is hooks (log, evaluation, checkpoints and a config's own);
 * the loop itself updates, and does what hooks ask of it. Nothing is written before the first update has
 * succeeded, so that a run that cannot work (memory, a single value per channel) leaves nothing.
 */
export class TrainingLoop implements RunControl {
  /** In the order in which they are called; their state and tensors are loaded before `run`. */
  readonly hooks: HookList;
  readonly iterations: number;
  iteration: number;
  best: BestScore | null;
  lastUpdate: FinishedUpdate | null = null;
  private readonly checkpoints: CheckpointFolder;
  private readonly validation: Validation;
  private readonly started = performance.now();
  /** The newest evaluation and checkpoint of this process, by the updates done at that time. */
  private evaluated: { iteration: number; result: EvaluationResult } | null = null;
  private stored: { iteration: number; folder: string } | null = null;
  private stopReason: string | null = null;

  constructor(private readonly inputs: TrainingLoopInputs) {
    const { loaded, registry, workDir, segmentor, onProgress, resumed } = inputs;
    this.iterations = loaded.config.schedule.iterations;
    this.iteration = resumed?.iteration ?? 0;
    // A score of another kind says nothing about this one.
    this.best = resumed?.best?.metric === loaded.config.checkpoint.best ? (resumed?.best ?? null) : null;
    this.checkpoints = new CheckpointFolder(workDir);
    this.validation = new Validation(loaded.config, segmentor, onProgress);
    this.hooks = createHooks(registry, { ...inputs, run: this });
  }

  get isEnding(): boolean {
    return this.iteration >= this.iterations || this.stopReason !== null;
  }

  requestStop(reason: string): void {
    this.stopReason ??= reason;
  }

  async run(): Promise<TrainingOutcome> {
    const { hooks, inputs } = this;
    const first = this.iteration;
    try {
      await hooks.call("beforeRun");
      while (!this.isEnding) {
        await hooks.call("beforeUpdate", this.iteration + 1);
        const update = await this.update();
        if (this.iteration === first + 1) await this.begin(first);
        await hooks.call("afterUpdate", update);
      }
      return await this.end();
    } catch (error) {
      await hooks.tellError(error, inputs.logger);
      throw error;
    }
  }

  /** Ends the workers of evaluation and closes the hooks; also where `run` was never called. */
  async close(): Promise<void> {
    await this.validation.close();
    await this.hooks.close();
  }

  async log(record: RunRecord): Promise<void> {
    await this.hooks.call("onLog", record);
  }

  async evaluate(): Promise<EvaluationResult> {
    const { iteration } = this;
    const { best: metric } = this.inputs.loaded.config.checkpoint;
    const result = await this.hooks.aroundEvaluation(iteration, () => this.validation.run(this.lastUpdate));
    this.evaluated = { iteration, result };
    if (metric !== null) {
      const value = scoreOf(result, metric);
      if (isBetter(metric, value, this.best?.value ?? null)) this.best = { metric, value, iteration };
    }
    await this.hooks.call("afterEvaluation", { iteration, result });
    return result;
  }

  async save(): Promise<string> {
    const { iteration } = this;
    const { keep_last: keepLast, keep_every: keepEvery } = this.inputs.loaded.config.checkpoint;
    const folder = await this.checkpoints.save(this.checkpoint(), { keepLast, keepEvery });
    this.stored = { iteration, folder };
    const isBest = this.best?.iteration === iteration;
    await this.log({ event: "checkpoint", iteration, best: isBest });
    await this.hooks.call("afterCheckpoint", { iteration, folder, isBest });
    return folder;
  }

  async saveAside(workDir: string): Promise<string> {
    return new CheckpointFolder(workDir).save(this.checkpoint(), { keepLast: 1, keepEvery: null });
  }

  private checkpoint(): CheckpointInputs {
    const { iteration, evaluated } = this;
    const { segmentor, optimizer, loaded, info } = this.inputs;
    const { model, seed } = loaded.config;
    const { classes, palette, ignoreIndex } = info;
    return {
      model: segmentor,
      optimizerState: optimizer.state(),
      hookTensors: this.hooks.withTensors(),
      metadata: {
        classes,
        palette,
        ignoreIndex,
        preprocess: model.preprocess,
        version: segfuseVersion(),
        iteration,
        configHash: loaded.hash,
      },
      state: {
        format: "segfuse-checkpoint-1",
        iteration,
        seed,
        config_hash: loaded.hash,
        best: this.best,
        metrics: evaluated?.iteration === iteration ? scoresOf(evaluated.result) : null,
        train_seconds: this.trainSeconds(),
        hooks: this.hooks.states(),
        stopped: this.stopReason,
      },
    };
  }

  private async update(): Promise<FinishedUpdate> {
    const { step, loader } = this.inputs;
    const start = performance.now();
    const result = await step.run(
      this.iteration,
      () => loader.next(),
      (pending) => this.hooks.call("beforeStep", pending),
    );
    // Computing blocks the event loop; here signals, timers and messages of the workers get their turn.
    await new Promise(setImmediate);
    this.iteration++;
    const total = (performance.now() - start) / 1000;
    const { losses, lr, seconds } = result;
    this.lastUpdate = { iteration: this.iteration, losses, lr, seconds: { ...seconds, total } };
    return this.lastUpdate;
  }

  /** Makes the folder and writes what the run is. */
  private async begin(iteration: number): Promise<void> {
    const { workDir, loaded, engine, weights, resumed, info } = this.inputs;
    await makeWorkDir(workDir);
    await writeFileAtomically(join(workDir, "config.yaml"), [stringifyConfig(loaded.config)]);
    await this.log({
      event: "start",
      iteration,
      resumed: resumed !== null,
      name: loaded.config.name,
      seed: loaded.config.seed,
      config: loaded.path,
      config_hash: loaded.hash,
      iterations: this.iterations,
      engine,
      versions: { ...versions(), tfjs: tf.version.tfjs },
      classes: info.classes,
      weights: weights && {
        sources: weights.sources.map(({ file, loaded, fresh, unused }) => ({ file, loaded, fresh, unused })),
        fresh: weights.fresh,
      },
    });
  }

  private async end(): Promise<TrainingOutcome> {
    const { iteration, best, stopReason } = this;
    // A hook may have asked to stop after the checkpoint's turn.
    const isStored = this.stored?.iteration === iteration;
    const checkpoint = isStored ? this.stored!.folder : await this.save();
    const trainSeconds = this.trainSeconds();
    await this.log({ event: "end", iteration, best, stopped: stopReason, train_seconds: trainSeconds });
    await this.hooks.call("afterRun");
    return { checkpoint, best, losses: this.lastUpdate?.losses ?? {}, trainSeconds };
  }

  private trainSeconds(): number {
    return (this.inputs.resumed?.train_seconds ?? 0) + (performance.now() - this.started) / 1000;
  }
}

function scoresOf({ metrics, loss }: EvaluationResult): Record<string, number | null> {
  return { ...metrics, ...(loss === null ? {} : { val_loss: loss }) };
}
