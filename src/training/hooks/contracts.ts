import type { NamedTensorMap } from "@tensorflow/tfjs";
import type { LoadedConfig } from "../../config/load.ts";
import type { DatasetInfo } from "../../datasets/contracts.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EvaluationResult } from "../../evaluation/contracts.ts";
import type { Segmentor } from "../../models/segmentor.ts";
import type { FinishedCheckpoint, FinishedUpdate, JsonValue } from "../../checkpoints/state.ts";
import type { Parameter } from "../../nn/parameter.ts";
import type { Logger } from "../../util/logger.ts";
import type { BestScore } from "../../checkpoints/folder.ts";
import type { Optimizer } from "../optimizers/contracts.ts";
import type { ProgressCallback } from "../progress.ts";
import type { RunRecord } from "../run_log.ts";
import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../../registry/record.ts";
import type { ReadonlyScope } from "../../registry/scope.ts";

/**
 * When a hook's turn comes. At every event all hooks of one stage are called before those of the next; within a
 * stage the hooks that every run has come first, then those of the config's list in its order.
 *
 * - `guard`: stops a run before a bad update is made
 * - `weights`: follows or changes the weights (moving averages)
 * - `user`: where a plug-in's hook runs unless its record says another stage
 * - `log`: progress, log lines, event files, profiles
 * - `evaluation`: evaluates, and decides by scores
 * - `checkpoint`: after the scores are known; the hook `checkpoint` itself is the last of all, so that it stores what
 *   the others have made of the iteration
 */
export const hookStages = ["guard", "weights", "user", "log", "evaluation", "checkpoint"] as const;
export type HookStage = (typeof hookStages)[number];

/** One batch of an update. */
export interface BatchLosses {
  readonly ids: readonly string[];
  /** The parts of the loss by name and their sum as `loss`. */
  readonly losses: Readonly<Record<string, number>>;
}

/** An update that is about to be made. */
export interface PendingUpdate {
  /** The update's number, from 1. */
  readonly iteration: number;
  readonly batches: readonly BatchLosses[];
  /** Gradients by parameter name, the mean over the batches, not yet clipped. They belong to the loop. */
  readonly gradients: Readonly<NamedTensorMap>;
  readonly lr: number;
}

/** An evaluation on the validation split. */
export interface FinishedEvaluation {
  /** Updates done. */
  readonly iteration: number;
  readonly result: EvaluationResult;
}

/** Undoes what `beforeEvaluation` did; called when the evaluation has ended, also where it failed. */
export type Undo = () => void;

/**
 * What happens around updates. Every method is optional and awaited, and an error that one throws ends the run.
 * `iteration` counts updates that are done, this one included.
 *
 * A hook that keeps something from one update to the next gives it in `state` (numbers, names) or `tensors`, and
 * checkpoints carry it: a resumed run must equal an uninterrupted one bit for bit.
 */
export interface Hook {
  /** Before the first update; a resumed run's state is loaded. Nothing is on disk yet. */
  beforeRun?(): void | Promise<void>;
  /** @param iteration the number that the update will have */
  beforeUpdate?(iteration: number): void | Promise<void>;
  /** Gradients are computed, parameters still as before. */
  beforeStep?(update: PendingUpdate): void | Promise<void>;
  /** At the run's first update the work folder exists from here on. */
  afterUpdate?(update: FinishedUpdate): void | Promise<void>;
  /** Weights that it changes are put back by what it returns, before any `afterEvaluation`. */
  beforeEvaluation?(iteration: number): Undo | void | Promise<Undo | void>;
  afterEvaluation?(evaluation: FinishedEvaluation): void | Promise<void>;
  afterCheckpoint?(checkpoint: FinishedCheckpoint): void | Promise<void>;
  /** For each record of the run's log. */
  onLog?(record: RunRecord): void | Promise<void>;
  /** All updates are made and stored. */
  afterRun?(): void | Promise<void>;
  /** The run ends by this error. What is thrown here is told as a warning. */
  onError?(error: unknown): void | Promise<void>;
  /** Always, last: lets go of files and tensors. */
  close?(): void | Promise<void>;

  /** For `state.json`. */
  state?(): JsonValue;
  /** Before `beforeRun` of a resumed run whose checkpoint has this hook's state. */
  loadState?(state: JsonValue): void;
  /** By name, for the checkpoint's file `HOOK.safetensors`; the same names and shapes before and after the run. */
  tensors?(): ReadonlyMap<string, Parameter>;
}

/** What a hook can ask of the run. */
export interface RunControl {
  /** Updates done. */
  readonly iteration: number;
  /** Updates of the whole run. */
  readonly iterations: number;
  /** No update follows the one that was just made. */
  readonly isEnding: boolean;
  readonly best: BestScore | null;
  /** The newest update; null before the first of this process. */
  readonly lastUpdate: FinishedUpdate | null;
  /** Tells every hook's `onLog`. */
  log(record: RunRecord): Promise<void>;
  /** Evaluates on the validation split as `segfuse test` does on the test split, between all hooks' `before-` and `afterEvaluation`. */
  evaluate(): Promise<EvaluationResult>;
  /**
   * Stores a checkpoint of this iteration, as it is now. It is written while training goes on;
   * `afterCheckpoint` tells when it is whole.
   *
   * @returns the folder where it will be
   * @throws SegfuseError why the checkpoint before could not be written
   */
  save(): Promise<string>;
  /**
   * Stores the present state as the only checkpoint of another work folder, from which `--resume-from` can go on;
   * returns when it is whole. The run's own checkpoints and log know nothing of it.
   *
   * @returns the checkpoint's folder
   */
  saveAside(workDir: string): Promise<string>;
  /** Ends training after this iteration as if it were the last one: it is stored, and the run is finished. */
  requestStop(reason: string): void;
}

/** What a hook is made with. */
export interface HookContext {
  readonly loaded: LoadedConfig;
  readonly workDir: string;
  readonly engine: Engine;
  /** Of the training split. */
  readonly info: DatasetInfo;
  /** Its weights are set. */
  readonly segmentor: Segmentor;
  readonly optimizer: Optimizer;
  readonly logger: Logger;
  readonly onProgress: ProgressCallback | undefined;
  readonly run: RunControl;
  /** Gives by a token of `runTokens` what else the run shares. */
  readonly scope: ReadonlyScope;
}

export interface HookRecord<S extends TObject = TObject> extends RecordBase<"hook", S> {
  /** When its turn comes among a run's hooks; default `user`. */
  readonly stage?: HookStage;
  /** True where a config may list it several times. */
  readonly isRepeatable?: boolean;
  /** Tensors of its own in a checkpoint, as copies of all the network's weights: what disk a run needs; default 0. */
  readonly weightCopies?: number;
  create(options: Static<S>, context: HookContext): Hook;
}

export const defineHook = <S extends TObject>(d: Definition<HookRecord<S>>): HookRecord =>
  defineRecord("hook", d);
