import type { ResumePoint } from "../checkpoints/resume.ts";
import type { CheckpointSink } from "../checkpoints/writer.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import type { EvaluationLoader, TrainLoader } from "../datasets/loader.ts";
import type { Engine } from "../engine/engine.ts";
import type { MetricList } from "../evaluation/metric_list.ts";
import type { Registry } from "../kinds.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { partsOf, type ReadonlyScope } from "../registry/scope.ts";
import { innerToken, token, type PartsOf } from "../registry/tokens.ts";
import type { Logger } from "../util/logger.ts";
import type { BestKeeper } from "./best.ts";
import type { HookList } from "./hook_list.ts";
import type { RunControl } from "./hooks/contracts.ts";
import type { InitialWeights } from "./initial_weights.ts";
import type { TrainingLoop } from "./loop.ts";
import type { Optimizer } from "./optimizers/contracts.ts";
import type { ProgressCallback } from "./progress.ts";
import type { RunCheckpoints } from "./run_checkpoints.ts";
import type { RunFolder } from "./run_folder.ts";
import type { Schedule } from "./schedules/contracts.ts";
import type { TrainingStep } from "./step.ts";
import type { Validation } from "./validation.ts";

// The parts that a run's scope may hold. Who makes which, and when, stands in src/runners/scope.ts.

/** What a run shares, for plug-ins too: `scope.get(runTokens.optimizer)`. docs/hooks.md says which run has what, and from when on. */
export const runTokens = {
  /** The config, with its hash and the files that it came from. */
  loaded: token<LoadedConfig>("loaded"),
  registry: token<Registry>("registry"),
  logger: token<Logger>("logger"),
  /** The config's `seed`. */
  seed: token<number>("seed"),
  /** The folder that the run writes to, which may not be there yet; a `test` or `predict` that writes nothing has none. */
  workDir: token<string>("workDir"),
  /** Undefined where nobody listens. */
  onProgress: token<ProgressCallback | undefined>("onProgress"),
  /** Aborted, the run stops; undefined where nobody may stop it. */
  stop: token<AbortSignal | undefined>("stop"),
  /** Classes, colours and the ignored label: the data set's, or a checkpoint's in `predict`. */
  info: token<DatasetInfo>("info"),
  /** The network. */
  segmentor: token<Segmentor>("segmentor"),
  engine: token<Engine>("engine"),
  optimizer: token<Optimizer>("optimizer"),
  schedule: token<Schedule>("schedule"),
  /** What can be asked of the training loop. */
  run: token<RunControl>("run"),
  hooks: token<HookList>("hooks"),
} as const;

/** Parts of segfuse's own work. */
export const innerTokens = {
  scope: innerToken<ReadonlyScope>("scope"),
  /** What the run goes on from; null: a new run. */
  resumed: innerToken<ResumePoint | null>("resumed"),
  /** Of the training split. */
  fingerprint: innerToken<string>("fingerprint"),
  /** Where the first weights came from; null in a resumed run. */
  weights: innerToken<InitialWeights | null>("weights"),
  /** The batches of the training split. */
  loader: innerToken<TrainLoader>("loader"),
  evaluationLoader: innerToken<EvaluationLoader>("evaluationLoader"),
  metrics: innerToken<MetricList>("metrics"),
  step: innerToken<TrainingStep>("step"),
  loop: innerToken<TrainingLoop>("loop"),
  best: innerToken<BestKeeper>("best"),
  folder: innerToken<RunFolder>("folder"),
  validation: innerToken<Validation>("validation"),
  checkpoints: innerToken<RunCheckpoints>("checkpoints"),
  checkpointWriter: innerToken<CheckpointSink>("checkpointWriter"),
} as const;

const allTokens = { ...runTokens, ...innerTokens } as const;

/** All parts of a run by name; each is got from the scope when it is read. */
export type RunParts = PartsOf<typeof allTokens>;

/** The parts that somebody needs. */
export type Needs<Names extends keyof RunParts> = Pick<RunParts, Names>;

export function runParts(scope: ReadonlyScope): RunParts {
  return partsOf(scope, allTokens);
}
