import type { LoadedConfig } from "../config/load.ts";
import { CheckpointWriter } from "../checkpoints/writer.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { openEngine, type Engine } from "../engine/engine.ts";
import type { Registry } from "../kinds.ts";
import type { Scope, Wiring } from "../registry/scope.ts";
import { BestKeeper } from "../training/best.ts";
import { createHooks } from "../training/hook_list.ts";
import { trainableParameters } from "../training/initial_weights.ts";
import { TrainingLoop } from "../training/loop.ts";
import { trainingMetrics } from "../training/metrics.ts";
import type { ProgressCallback } from "../training/progress.ts";
import { RunCheckpoints } from "../training/run_checkpoints.ts";
import { RunFolder } from "../training/run_folder.ts";
import { TrainingStep } from "../training/step.ts";
import { innerTokens, runParts, runTokens } from "../training/tokens.ts";
import { Validation } from "../training/validation.ts";
import type { Logger } from "../util/logger.ts";
import { networkFor } from "./network.ts";

// The wiring of a run: which part is made by whom, and in which order they end. Each use case opens a scope, opens in
// it what takes a while (data, engine, weights) at the moment that its own text shows, and closes it in `finally`:
//
//   openScope      what is known at once
//   shareNetwork   data set's information and network, as soon as the classes are known
//   shareTraining  what makes an update, as soon as the network has its weights
//   shareLoop      the loop, its hooks, evaluations and checkpoints
//
// A part is declared no earlier than it can be made, so that `scope.has` tells the truth. What stays plain arguments: a
// slot that belongs to one component (losses inside heads, transforms inside data workers, which load no container);
// `cost`, `graph` and the API's `build`, which share nothing with anybody or give their network away; and the optimiser
// that the preflight makes of shapes alone to count its bytes.

/** What every use case is given. */
export interface SharedInputs {
  readonly loaded: LoadedConfig;
  readonly registry: Registry;
  readonly logger: Logger;
  /** The output folder; null or absent: nothing is written. */
  readonly workDir?: string | null | undefined;
  readonly onProgress?: ProgressCallback | undefined;
  readonly stop?: AbortSignal | undefined;
  /** Registers parts in the place of the run's own. */
  readonly wire?: Wiring | undefined;
}

/** Opens the scope of a run, a child of its registry's container. The caller closes it. */
export function openScope(inputs: SharedInputs): Scope {
  const { loaded, registry, workDir } = inputs;
  const scope = registry.createScope();
  inputs.wire?.(scope);
  scope.give(innerTokens.scope, scope);
  scope.give(runTokens.loaded, loaded);
  scope.give(runTokens.registry, registry);
  scope.give(runTokens.logger, inputs.logger);
  scope.give(runTokens.seed, loaded.config.seed);
  scope.give(runTokens.onProgress, inputs.onProgress);
  scope.give(runTokens.stop, inputs.stop);
  if (workDir != null) scope.give(runTokens.workDir, workDir);

  // How a run ends, whatever of it there is by then: threads that still write and read first, tensors last.
  scope.onClose(innerTokens.checkpointWriter, (writer) => writer.close());
  scope.onClose(innerTokens.validation, (validation) => validation.close());
  scope.onClose(runTokens.hooks, (hooks) => hooks.close());
  scope.onClose(innerTokens.loader, (loader) => loader.close());
  scope.onClose(innerTokens.evaluationLoader, (loader) => loader.close());
  scope.onClose(runTokens.optimizer, (optimizer) => optimizer.dispose());
  scope.onClose(runTokens.segmentor, (segmentor) => segmentor.dispose());
  return scope;
}

/** Adds the network, without values yet, for these classes. */
export function shareNetwork(scope: Scope, info: DatasetInfo): void {
  const parts = runParts(scope);
  scope.give(runTokens.info, info);
  scope.lazy(runTokens.segmentor, () => networkFor(parts.loaded.config, parts.info, parts.registry));
}

/** Opens the config's engine. */
export function openRunEngine(scope: Scope): Promise<Engine> {
  const { loaded, logger } = runParts(scope);
  return scope.open(runTokens.engine, () => openEngine(loaded.config.engine, logger));
}

/** Adds what makes an update of a network that has its weights. */
export function shareTraining(scope: Scope): void {
  const parts = runParts(scope);
  const { registry } = parts;
  const { optimizer, schedule } = parts.loaded.config;

  const parameters = trainableParameters(parts.segmentor);
  scope.lazy(runTokens.optimizer, () => registry.make("optimizer", optimizer, { parameters }));
  scope.lazy(runTokens.schedule, () => registry.make("schedule", schedule));
  // At once: what cannot be made is known before any hook is called.
  const step = new TrainingStep({
    segmentor: parts.segmentor,
    parameters,
    optimizer: parts.optimizer,
    schedule: parts.schedule,
    baseLr: optimizer.lr,
    accumulate: optimizer.accumulate,
    clipNorm: optimizer.clip_norm,
    seed: parts.seed,
  });
  scope.give(innerTokens.step, step);
}

/** Adds the loop over updates and what happens around them. */
export function shareLoop(scope: Scope): void {
  const parts = runParts(scope);
  // At once: what is wrong with a metric is known before the first update, and it cannot ask for a loop that waits for it.
  scope.give(innerTokens.metrics, trainingMetrics(parts));
  scope.lazy(innerTokens.best, () => new BestKeeper(parts));
  scope.lazy(innerTokens.folder, () => new RunFolder(parts));
  scope.lazy(innerTokens.validation, () => new Validation(parts));
  scope.lazy(innerTokens.checkpointWriter, () => new CheckpointWriter(parts.logger));
  scope.lazy(innerTokens.checkpoints, () => new RunCheckpoints(parts));

  // Hooks ask things of the loop, and the loop calls the hooks: it is made first, and asks for them when it runs.
  scope.lazy(innerTokens.loop, () => new TrainingLoop(parts));
  scope.lazy(runTokens.run, () => parts.loop);
  scope.lazy(runTokens.hooks, () => createHooks(parts));
}
