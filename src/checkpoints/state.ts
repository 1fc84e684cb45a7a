import { createHash } from "node:crypto";
import type { Metadata } from "../weights/safetensors.ts";

/** Wall-clock seconds of one update. A GPU computes behind the program's back: there they say when it was waited for. */
export interface UpdateSeconds {
  readonly total: number;
  /** Waiting for batches. */
  readonly data: number;
  readonly forward: number;
  readonly backward: number;
  /** Clipping and the optimiser. */
  readonly update: number;
}

/** An update that was made. */
export interface FinishedUpdate {
  /** Updates done, this one included. */
  readonly iteration: number;
  /** Means over the update's batches. */
  readonly losses: Readonly<Record<string, number>>;
  readonly lr: number;
  readonly seconds: UpdateSeconds;
}

/** A checkpoint that is whole on the disk; training may be some updates further. */
export interface FinishedCheckpoint {
  readonly iteration: number;
  readonly folder: string;
  readonly isBest: boolean;
}

/** A value that JSON holds exactly. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A score that decided which checkpoint is the best. */
export interface BestScore {
  readonly metric: string;
  readonly value: number;
  readonly iteration: number;
}

/**
 * A run was told to stop in a hook's `afterUpdate` (an evaluation): a resumed run calls this hook and those behind
 * it first.
 */
export interface PendingHooks {
  readonly hook: string;
  readonly update: FinishedUpdate;
}

/** What a file of a checkpoint must be. */
export interface FileSeal {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Where a run stands beside its tensors. Random choices need no state, they follow from the seed. */
export interface RunState {
  /** Updates done; training goes on with the update of this number. */
  readonly iteration: number;
  readonly seed: number;
  readonly config_hash: string;
  /** What of the config decides the result (see `decisiveConfig`): a resumed run must agree with it. */
  readonly config: unknown;
  /** Fingerprint of the training split: its classes and its samples in their order. */
  readonly data_fingerprint: string;
  readonly best: BestScore | null;
  /** Scores on the validation split at this very iteration, where it was evaluated. */
  readonly metrics: Readonly<Record<string, number | null>> | null;
  /** What of the last iteration is still to be done; null: nothing. */
  readonly pending: PendingHooks | null;
  /** What hooks keep beside tensors, by the hook's name. */
  readonly hooks: Readonly<Record<string, JsonValue>>;
  /** Why the run was finished before its last iteration (early stopping); null: it was not. */
  readonly stopped: string | null;
  /** segfuse's version. */
  readonly version: string;
  /** SHA-256 of each file that the run's first weights came from, in the order in which they were read. */
  readonly initial_weights: readonly string[];
  /** Seconds of training so far, over all resumes. */
  readonly train_seconds: number;
}

export const checkpointFormat = "segfuse-checkpoint-2";

/** `state.json` of a checkpoint. */
export interface CheckpointState extends RunState {
  readonly format: typeof checkpointFormat;
  /** The other files of the checkpoint by name. */
  readonly files: Readonly<Record<string, FileSeal>>;
}

/** How long checkpoints stay. The best and the newest always do. */
export interface Retention {
  /** So many of the newest. */
  readonly keepLast: number;
  /** Multiples of this stay for ever; null: none. */
  readonly keepEvery: number | null;
}

/** A tensor's values at one moment, in memory order. */
export interface TensorCopy {
  readonly name: string;
  readonly layout: "conv" | "depthwise" | "plain";
  /** In memory order. */
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** A checkpoint that is to be written: plain data, which can be given to another thread. */
export interface CheckpointJob {
  /** `WORK_DIR/checkpoints` */
  readonly folder: string;
  readonly files: readonly {
    readonly name: string;
    readonly metadata: Metadata;
    readonly tensors: readonly TensorCopy[];
  }[];
  readonly state: RunState;
  readonly retention: Retention;
}

/** The text of `state.json`: the state and, as its last key, the SHA-256 of the text without it. */
export function sealState(state: CheckpointState): string {
  return `${JSON.stringify({ ...state, sha256: digest(state) }, null, 2)}\n`;
}

/**
 * Reads what {@link sealState} wrote.
 *
 * @throws Error saying what is wrong: no JSON, another format, or values that are not the ones that were written
 */
export function openState(text: string): CheckpointState {
  const { sha256, ...state } = JSON.parse(text) as CheckpointState & { sha256?: unknown };
  const format: unknown = state.format;
  if (format !== checkpointFormat) {
    throw new Error(`format ${JSON.stringify(format)} instead of "${checkpointFormat}"`);
  }
  if (sha256 !== digest(state)) throw new Error("its values do not have the SHA-256 that it states");
  return state;
}

/** JSON keeps the order of keys and every digit of numbers, so that text → state → text changes nothing. */
function digest(state: object): string {
  return createHash("sha256").update(JSON.stringify(state)).digest("hex");
}
