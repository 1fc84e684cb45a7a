import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { SegfuseError } from "../errors.ts";
import type { Module } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { syncFolder, writeFileAtomically } from "../util/atomic_file.ts";
import { storedTensors } from "../weights/load.ts";
import { toMetadata, type ModelMetadata } from "../weights/metadata.ts";
import { writeSafetensors } from "../weights/safetensors.ts";
import type { JsonValue } from "./contracts.ts";

/** A score that decided which checkpoint is the best. */
export interface BestScore {
  readonly metric: string;
  readonly value: number;
  readonly iteration: number;
}

/** `state.json`: where the run stands beside its tensors. Random choices need no state, they follow from the seed. */
export interface CheckpointState {
  readonly format: "segfuse-checkpoint-1";
  /** Updates done; training goes on with the update of this number. */
  readonly iteration: number;
  readonly seed: number;
  readonly config_hash: string;
  readonly best: BestScore | null;
  /** Scores on the validation split at this very iteration, where it was evaluated. */
  readonly metrics: Readonly<Record<string, number | null>> | null;
  /** Seconds of training so far, over all resumes. */
  readonly train_seconds: number;
  /** What hooks keep beside tensors, by the hook's name. */
  readonly hooks?: Readonly<Record<string, JsonValue>>;
  /** Why the run was finished before its last iteration (early stopping); null: it was not. */
  readonly stopped?: string | null;
}

export interface CheckpointInputs {
  readonly model: Module;
  readonly optimizerState: ReadonlyMap<string, Parameter>;
  /** Each becomes a file `NAME.safetensors` with the model's metadata. */
  readonly hookTensors: readonly { name: string; tensors: ReadonlyMap<string, Parameter> }[];
  readonly metadata: ModelMetadata;
  readonly state: CheckpointState;
}

/** How long checkpoints stay. The best and the newest always do. */
export interface Retention {
  readonly keepLast: number;
  /** Multiples of this stay for ever; null: none. */
  readonly keepEvery: number | null;
}

/** The folder `checkpoints/` of a run: `iter_N/…`, `last` and `best`. */
export class CheckpointFolder {
  readonly folder: string;

  constructor(workDir: string) {
    this.folder = join(workDir, "checkpoints");
  }

  /**
   * Writes a checkpoint to a temporary folder, syncs and renames it, and then points `last` (and `best`)
   * to it: at every moment what they name is whole. Old checkpoints go last.
   *
   * @returns the checkpoint's folder
   */
  async save(inputs: CheckpointInputs, retention: Retention): Promise<string> {
    const { iteration, best } = inputs.state;
    const name = `iter_${iteration}`;
    const target = join(this.folder, name);
    const temporary = join(this.folder, `.${name}.${randomUUID()}.tmp`);
    try {
      await mkdir(temporary, { recursive: true });
      const metadata = toMetadata(inputs.metadata);
      const model = await storedTensors(inputs.model.namedParameters());
      await writeSafetensors(join(temporary, "model.safetensors"), model, metadata);
      const optimizer = await storedTensors(inputs.optimizerState);
      await writeSafetensors(join(temporary, "optimizer.safetensors"), optimizer, { format: "pt" });
      for (const { name, tensors } of inputs.hookTensors) {
        const path = join(temporary, `${name}.safetensors`);
        await writeSafetensors(path, await storedTensors(tensors), metadata);
      }
      const state = `${JSON.stringify(inputs.state, null, 2)}\n`;
      await writeFileAtomically(join(temporary, "state.json"), [state]);
      // One of this iteration can be there already: made by a run that was resumed from before it.
      await rm(target, { recursive: true, force: true });
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
    await syncFolder(this.folder);
    await this.point("last", name);
    if (best?.iteration === iteration) await this.point("best", name);
    await this.prune(retention);
    return target;
  }

  /** The folder that `last` or `best` names; null where there is none. */
  async named(pointer: "last" | "best"): Promise<string | null> {
    const name = await readFile(join(this.folder, pointer), "utf8").catch(() => null);
    if (name === null) return null;
    return join(this.folder, basename(name.trim()));
  }

  private async point(pointer: "last" | "best", name: string): Promise<void> {
    await writeFileAtomically(join(this.folder, pointer), [`${name}\n`]);
  }

  private async prune({ keepLast, keepEvery }: Retention): Promise<void> {
    const entries = await readdir(this.folder);
    // What a killed run left behind.
    const broken = entries.filter((name) => /^\.iter_\d+\..*\.tmp$/.test(name));
    const iterations = entries
      .map((name) => /^iter_(\d+)$/.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => b - a);
    const named = await Promise.all([this.named("last"), this.named("best")]);
    const old = iterations
      .slice(keepLast)
      .filter((iteration) => keepEvery === null || iteration % keepEvery !== 0)
      .map((iteration) => `iter_${iteration}`)
      .filter((name) => !named.includes(join(this.folder, name)));
    for (const name of [...broken, ...old])
      await rm(join(this.folder, name), { recursive: true, force: true });
  }
}

/** A checkpoint that was found: a folder with everything, or a weight file alone. `weights` are for use, not for resuming. */
export interface FoundCheckpoint {
  readonly weights: string;
  /** Null for a weight file. */
  readonly folder: string | null;
}

/**
 * What a CHECKPOINT argument means: an `iter_N` folder, a work folder or a weight file.
 *
 * @param prefer which of a work folder's checkpoints is taken where it has both
 * @throws SegfuseError `SEGFUSE_CHECKPOINT`
 */
export async function findCheckpoint(
  path: string,
  prefer: "best" | "last" = "best",
): Promise<FoundCheckpoint> {
  const status = await stat(path).catch(() => null);
  if (status === null) throw none(path, "nothing of that name");
  if (!status.isDirectory()) return { weights: path, folder: null };
  if (await exists(join(path, "model.safetensors"))) return inFolder(resolve(path));
  const checkpoints = new CheckpointFolder(path);
  for (const pointer of [prefer, "best", "last"] as const) {
    const folder = await checkpoints.named(pointer);
    if (folder === null) continue;
    if (await exists(join(folder, "model.safetensors"))) return await inFolder(folder);
    throw none(join(checkpoints.folder, pointer), `the name of ${basename(folder)}, which is not there`);
  }
  throw none(path, "a folder without checkpoints");
}

/** Reads `state.json`. @throws SegfuseError `SEGFUSE_CHECKPOINT` where it is missing or not of this program */
export async function readState(folder: string): Promise<CheckpointState> {
  const path = join(folder, "state.json");
  try {
    const state = JSON.parse(await readFile(path, "utf8")) as CheckpointState;
    if (state.format === "segfuse-checkpoint-1" && Number.isInteger(state.iteration)) return state;
  } catch (cause) {
    throw new SegfuseError("SEGFUSE_CHECKPOINT", "a checkpoint's state cannot be read", {
      where: path,
      found: (cause as Error).message,
      cause,
    });
  }
  throw new SegfuseError("SEGFUSE_CHECKPOINT", "a checkpoint's state is of another format", { where: path });
}

/** The weights' moving average, where the run kept one, is what was evaluated and what is used. */
async function inFolder(folder: string): Promise<FoundCheckpoint> {
  const average = join(folder, "ema.safetensors");
  return { weights: (await exists(average)) ? average : join(folder, "model.safetensors"), folder };
}

function none(where: string, found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_CHECKPOINT", "there is no checkpoint", {
    where,
    found,
    expected: "an iter_N folder, a work folder with checkpoints/, or a weight file",
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
