import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { stringifyConfig, type LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { openEvaluationLoader, type EvaluationLoader, type TrainLoader } from "../datasets/loader.ts";
import type { Engine } from "../engine/engine.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { writeFileAtomically } from "../util/atomic_file.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion, versions } from "../util/versions.ts";
import { CheckpointFolder, type BestScore, type CheckpointState } from "./checkpoints.ts";
import type { Optimizer } from "./contracts.ts";
import { Meter } from "./meter.ts";
import type { InitialWeights } from "./network.ts";
import type { ProgressCallback } from "./progress.ts";
import { RunLog } from "./run_log.ts";
import { EvaluationClock, formatScores, formatTraining } from "./texts.ts";
import type { StepResult, TrainingStep } from "./training_step.ts";
import { makeWorkDir } from "./work_dir.ts";

export interface TrainingLoopInputs {
  readonly loaded: LoadedConfig;
  readonly workDir: string;
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
 * The loop over updates: log, evaluate, store. Nothing is written before the first update has succeeded, so
 * that a run that cannot work (memory, a single value per channel, a loss that is no number) leaves nothing.
 */
export class TrainingLoop {
  private readonly checkpoints: CheckpointFolder;
  private readonly meter = new Meter();
  private readonly started = performance.now();
  private log: RunLog | undefined;
  private evaluationLoader: EvaluationLoader | undefined;
  private best: BestScore | null;
  private last: StepResult = { losses: {}, lr: 0 };

  constructor(private readonly inputs: TrainingLoopInputs) {
    this.checkpoints = new CheckpointFolder(inputs.workDir);
    this.best = inputs.resumed?.best ?? null;
  }

  async run(): Promise<TrainingOutcome> {
    const { schedule, log, evaluation, checkpoint } = this.inputs.loaded.config;
    const { iterations } = schedule;
    const first = this.inputs.resumed?.iteration ?? 0;
    let folder = "";
    try {
      for (let iteration = first; iteration < iterations; iteration++) {
        await this.update(iteration);
        const done = iteration + 1;
        if (iteration === first) await this.begin(first);
        this.tellTraining(done);
        if (done % log.interval === 0 || done === iterations) await this.writeTraining(done);
        const result = done % evaluation.interval === 0 ? await this.evaluate(done) : null;
        const isDue = done % checkpoint.interval === 0 || done === iterations;
        if (isDue || this.best?.iteration === done) folder = await this.save(done, result);
      }
      const trainSeconds = this.trainSeconds();
      await this.log?.write({
        event: "end",
        iteration: iterations,
        best: this.best,
        train_seconds: trainSeconds,
      });
      return { checkpoint: folder, best: this.best, losses: this.last.losses, trainSeconds };
    } finally {
      await this.log?.close();
      await this.evaluationLoader?.close();
    }
  }

  private async update(iteration: number): Promise<void> {
    const { step, loader } = this.inputs;
    const start = performance.now();
    const waitedBefore = loader.waitSeconds;
    this.last = await step.run(iteration, () => loader.next());
    // Computing blocks the event loop; here signals, timers and messages of the workers get their turn.
    await new Promise(setImmediate);
    const seconds = (performance.now() - start) / 1000;
    this.meter.add(this.last, seconds, loader.waitSeconds - waitedBefore);
  }

  /** Makes the folder and writes what the run is. */
  private async begin(iteration: number): Promise<void> {
    const { workDir, loaded, engine, weights, resumed, info } = this.inputs;
    await makeWorkDir(workDir);
    await writeFileAtomically(join(workDir, "config.yaml"), [stringifyConfig(loaded.config)]);
    this.log = await RunLog.open(join(workDir, "run.jsonl"));
    await this.log.write({
      event: "start",
      iteration,
      resumed: resumed !== null,
      name: loaded.config.name,
      seed: loaded.config.seed,
      config: loaded.path,
      config_hash: loaded.hash,
      iterations: loaded.config.schedule.iterations,
      engine,
      versions: { ...versions(), tfjs: tf.version.tfjs },
      classes: info.classes,
      weights: weights && {
        sources: weights.sources.map(({ file, loaded, fresh, unused }) => ({ file, loaded, fresh, unused })),
        fresh: weights.fresh,
      },
    });
  }

  private tellTraining(done: number): void {
    const { onProgress, loaded } = this.inputs;
    if (onProgress === undefined) return;
    const { iterations } = loaded.config.schedule;
    const { secondsPerIteration, dataWaitShare } = this.meter.read();
    onProgress({
      phase: "train",
      iteration: done,
      iterations,
      loss: this.last.losses.loss ?? null,
      lr: this.last.lr,
      secondsPerIteration,
      dataWaitShare,
      etaSeconds: (iterations - done) * secondsPerIteration,
    });
  }

  private async writeTraining(done: number): Promise<void> {
    const { logger, loaded } = this.inputs;
    const { iterations } = loaded.config.schedule;
    const reading = this.meter.read();
    const { lr } = this.last;
    const etaSeconds = (iterations - done) * reading.secondsPerIteration;
    logger.step(formatTraining({ done, iterations, lr, etaSeconds, ...reading }));
    await this.log?.write({
      event: "train",
      iteration: done,
      ...reading.losses,
      lr,
      seconds_per_iteration: reading.secondsPerIteration,
      data_wait_share: reading.dataWaitShare,
      eta_seconds: etaSeconds,
      memory_mb: Math.round(process.memoryUsage.rss() / 2 ** 20),
      tensors: tf.memory().numTensors,
    });
    this.meter.reset();
  }

  private async evaluate(done: number): Promise<EvaluationResult> {
    const { loaded, segmentor, logger, onProgress } = this.inputs;
    const { config } = loaded;
    this.evaluationLoader ??= await openEvaluationLoader({ config, section: "val" });
    const clock = new EvaluationClock(onProgress, { loss: this.last.losses.loss ?? null, lr: this.last.lr });
    const result = await evaluate({
      segmentor,
      loader: this.evaluationLoader,
      options: withMetric(config.evaluation, config.checkpoint.best),
      cropSize: config.data.crop_size,
      onImage: async (image) => {
        clock.tick(image.done, image.total);
        await new Promise(setImmediate);
      },
    });
    const metric = config.checkpoint.best;
    if (metric !== null) {
      const value = (result.metrics as unknown as Record<string, number>)[metric] ?? NaN;
      if (value > (this.best?.value ?? -Infinity)) this.best = { metric, value, iteration: done };
    }
    logger.info(formatScores(`${config.data.val.split} at ${done}`, result, config.evaluation.metrics));
    await this.log?.write({
      event: "evaluate",
      iteration: done,
      split: config.data.val.split,
      metrics: result.metrics,
      class_iou: Object.fromEntries(result.perClass.map(({ name, IoU }) => [name, IoU])),
      images: result.images,
      seconds: result.seconds,
    });
    return result;
  }

  private async save(done: number, result: EvaluationResult | null): Promise<string> {
    const { segmentor, optimizer, loaded, info } = this.inputs;
    const { model, seed, checkpoint } = loaded.config;
    const { classes, palette, ignoreIndex } = info;
    const folder = await this.checkpoints.save(
      {
        model: segmentor,
        optimizerState: optimizer.state(),
        metadata: {
          classes,
          palette,
          ignoreIndex,
          preprocess: model.preprocess,
          version: segfuseVersion(),
          iteration: done,
          configHash: loaded.hash,
        },
        state: {
          format: "segfuse-checkpoint-1",
          iteration: done,
          seed,
          config_hash: loaded.hash,
          best: this.best,
          metrics: result && { ...result.metrics },
          train_seconds: this.trainSeconds(),
        },
      },
      { keepLast: checkpoint.keep_last, keepEvery: checkpoint.keep_every },
    );
    await this.log?.write({ event: "checkpoint", iteration: done, best: this.best?.iteration === done });
    return folder;
  }

  private trainSeconds(): number {
    return (this.inputs.resumed?.train_seconds ?? 0) + (performance.now() - this.started) / 1000;
  }
}

/** The metric that decides must be counted, also where the config does not show it. */
function withMetric<T extends { readonly metrics: readonly string[] }>(options: T, metric: string | null): T {
  if (metric === null || options.metrics.includes(metric)) return options;
  return { ...options, metrics: [...options.metrics, metric] };
}
