import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { betterOf, isBetter, scoreOf } from "../evaluation/scores.ts";
import { stringifyConfig, type LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import type { TrainLoader } from "../datasets/loader.ts";
import type { Engine } from "../engine/engine.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../kinds.ts";
import { writeFileAtomically } from "../util/atomic_file.ts";
import type { Logger } from "../util/logger.ts";
import { versions } from "../util/versions.ts";
import { adoptPointers } from "../checkpoints/adopt.ts";
import type { BestScore, PendingHooks } from "../checkpoints/state.ts";
import { createHooks, type HookList } from "./hook_list.ts";
import { RunStopped } from "../util/interruption.ts";
import { trainingMetrics } from "./metrics.ts";
import type { ProgressCallback } from "./progress.ts";
import type { ResumePoint } from "../checkpoints/resume.ts";
import { RunCheckpoints, type ChangingState } from "./run_checkpoints.ts";
import type { RunRecord } from "./run_log.ts";
import type { TrainingStep } from "./step.ts";
import { Validation } from "./validation.ts";
import { makeWorkDir } from "../util/work_dir.ts";
import type { InitialWeights } from "./initial_weights.ts";
import type { FinishedUpdate } from "../checkpoints/state.ts";
import type { Optimizer } from "./optimizers/contracts.ts";
import type { RunControl } from "./hooks/contracts.ts";

export interface TrainingLoopInputs {
  readonly loaded: LoadedConfig;
  readonly workDir: string;
  readonly registry: Registry;
  readonly engine: Engine;
  readonly info: DatasetInfo;
  /** Of the training split. */
  readonly fingerprint: string;
  readonly segmentor: Segmentor;
  readonly optimizer: Optimizer;
  readonly step: TrainingStep;
  readonly loader: TrainLoader;
  /** Where the first weights came from; null in a resumed run. */
  readonly weights: InitialWeights | null;
  /** What the run goes on from; null: a new run. */
  readonly resumed: ResumePoint | null;
  readonly logger: Logger;
  readonly onProgress: ProgressCallback | undefined;
  /** Aborted, the run stores a checkpoint after the iteration that it is at and throws `RunStopped`. */
  readonly stop: AbortSignal | undefined;
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
  private readonly checkpoints: RunCheckpoints;
  private readonly validation: Validation;
  private readonly started = performance.now();
  /** The newest evaluation and checkpoint of this process, by the updates done at that time. */
  private evaluated: { iteration: number; result: EvaluationResult } | null = null;
  private saved: { iteration: number; folder: string } | null = null;
  /** The work folder is made and the log begun. */
  private hasBegun = false;
  private pending: PendingHooks | null = null;
  private stopReason: string | null = null;

  constructor(private readonly inputs: TrainingLoopInputs) {
    const { loaded, registry, info, segmentor, onProgress, resumed, stop, weights } = inputs;
    this.iterations = loaded.config.schedule.iterations;
    this.iteration = resumed?.state.iteration ?? 0;
    // A score of another kind says nothing about this one.
    const best = resumed?.state.best ?? null;
    this.best = best?.metric === loaded.config.checkpoint.best ? best : null;
    const initialWeights = resumed?.state.initial_weights ?? weights?.sha256 ?? [];
    this.checkpoints = new RunCheckpoints({ ...inputs, initialWeights });
    const metrics = trainingMetrics(loaded.config, registry, info);
    this.validation = new Validation(loaded, segmentor, metrics, onProgress, stop);
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
      await this.finishPending();
      while (!this.isEnding) {
        await this.checkStop();
        await hooks.call("beforeUpdate", this.iteration + 1);
        const update = await this.update();
        if (!this.hasBegun) await this.begin(first);
        await this.afterUpdate(update, null);
        await this.tellStored();
      }
      return await this.end();
    } catch (error) {
      await hooks.tellError(error, inputs.logger);
      throw error;
    }
  }

  /** Ends the threads of evaluation and checkpoints and closes the hooks; also where `run` was never called. */
  async close(): Promise<void> {
    await this.checkpoints.close();
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
      const better = betterOf(this.inputs.registry, metric);
      if (isBetter(better, value, this.best?.value ?? null)) this.best = { metric, value, iteration };
    }
    await this.hooks.call("afterEvaluation", { iteration, result });
    return result;
  }

  async save(): Promise<string> {
    const { iteration } = this;
    const folder = await this.checkpoints.save(this.state(), this.hooks);
    this.saved = { iteration, folder };
    return folder;
  }

  saveAside(workDir: string): Promise<string> {
    return this.checkpoints.saveAside(workDir, this.state(), this.hooks);
  }

  private state(): ChangingState {
    const { iteration, evaluated, best, pending, stopReason: stopped } = this;
    const metrics = evaluated?.iteration === iteration ? scoresOf(evaluated.result) : null;
    return { iteration, best, metrics, pending, stopped, train_seconds: this.trainSeconds() };
  }

  /** Calls the hooks after an update. Told to stop in the middle, the run stores which are left. */
  private async afterUpdate(update: FinishedUpdate, from: string | null): Promise<void> {
    let hook = "";
    try {
      await this.hooks.afterUpdate(update, from, (name) => (hook = name));
    } catch (error) {
      if (!(error instanceof RunStopped)) throw error;
      this.pending = { hook, update };
      await this.save();
      await this.stopNow(error.reason);
    }
    this.pending = null;
  }

  /** What the run that this one goes on from had left of its last iteration. */
  private async finishPending(): Promise<void> {
    const { pending = null, stopped = null } = this.inputs.resumed?.state ?? {};
    if (pending === null) return;
    this.stopReason = stopped;
    this.lastUpdate = pending.update;
    await this.begin(this.iteration);
    await this.afterUpdate(pending.update, pending.hook);
  }

  /** @throws RunStopped where the run was told to stop, after a checkpoint of this iteration */
  private async checkStop(): Promise<void> {
    const { stop, resumed } = this.inputs;
    if (stop?.aborted !== true) return;
    const isNew = this.iteration !== (resumed?.state.iteration ?? 0);
    if (isNew && this.saved?.iteration !== this.iteration) await this.save();
    await this.stopNow(stop.reason);
  }

  private async stopNow(reason: unknown): Promise<never> {
    await this.checkpoints.finish();
    await this.tellStored();
    const iteration = this.saved?.iteration ?? this.inputs.resumed?.state.iteration ?? null;
    throw new RunStopped(iteration, reason);
  }

  /** Tells of the checkpoints that have become whole. @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` where one has not */
  private async tellStored(): Promise<void> {
    for (const stored of this.checkpoints.takeStored()) {
      await this.log({ event: "checkpoint", iteration: stored.iteration, best: stored.isBest });
      await this.hooks.call("afterCheckpoint", stored);
    }
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
    this.hasBegun = true;
    makeWorkDir(workDir);
    if (resumed !== null) await adoptPointers(workDir, resumed);
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
    if (this.saved?.iteration !== iteration) await this.save();
    await this.checkpoints.finish();
    await this.tellStored();
    const trainSeconds = this.trainSeconds();
    await this.log({ event: "end", iteration, best, stopped: stopReason, train_seconds: trainSeconds });
    await this.hooks.call("afterRun");
    return { checkpoint: this.saved!.folder, best, losses: this.lastUpdate?.losses ?? {}, trainSeconds };
  }

  private trainSeconds(): number {
    return (this.inputs.resumed?.state.train_seconds ?? 0) + (performance.now() - this.started) / 1000;
  }
}

function scoresOf({ metrics, loss }: EvaluationResult): Record<string, number | null> {
  return { ...metrics, ...(loss === null ? {} : { val_loss: loss }) };
}
