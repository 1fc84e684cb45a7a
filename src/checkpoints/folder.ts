import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { SegfuseError } from "../errors.ts";
import { checkpointName, iterationOf, oldSuffix, readPointer, type Pointer } from "./names.ts";
import { openState, type CheckpointState } from "./state.ts";

export type { BestScore, CheckpointState, Retention } from "./state.ts";

/** The folder `checkpoints/` of a run: `iter_N/…`, `last` and `best`. Written by `checkpoint/store.ts`. */
export class CheckpointFolder {
  readonly folder: string;

  constructor(workDir: string) {
    this.folder = join(workDir, "checkpoints");
  }

  /** The folder that `last` or `best` names, whether it is there or not; null without such a name. */
  async named(pointer: Pointer): Promise<string | null> {
    const name = await readPointer(this.folder, pointer);
    return name === null ? null : this.place(name);
  }

  /** Iterations of the checkpoints that are there, the newest first. */
  async iterations(): Promise<number[]> {
    const entries = await readdir(this.folder).catch(() => []);
    const found = entries.map((name) =>
      iterationOf(name.endsWith(oldSuffix) ? name.slice(0, -oldSuffix.length) : name),
    );
    return [...new Set(found.filter((n) => n !== null))].sort((a, b) => b - a);
  }

  /** The folder of an iteration's checkpoint. */
  of(iteration: number): string {
    return this.place(checkpointName(iteration));
  }

  /** A run that was killed while it replaced a checkpoint has left the earlier one under its other name. */
  private place(name: string): string {
    const usual = join(this.folder, name);
    const aside = usual + oldSuffix;
    return !existsSync(usual) && existsSync(aside) ? aside : usual;
  }
}

/** A checkpoint that was found: a folder with everything, or a weight file alone. */
export interface FoundCheckpoint {
  readonly weights: string;
  /** Null for a weight file. */
  readonly folder: string | null;
}

/**
 * What a CHECKPOINT argument means: an `iter_N` folder, a work folder or a weight file. The weights of a folder
 * are compared with what was written.
 *
 * @param prefer which of a work folder's checkpoints is taken where it has both
 * @throws SegfuseError `SEGFUSE_CHECKPOINT`, `SEGFUSE_CHECKPOINT_DAMAGED`
 */
export async function findCheckpoint(path: string, prefer: Pointer = "best"): Promise<FoundCheckpoint> {
  const folder = await checkpointFolder(path, prefer);
  if (folder === null) return { weights: path, folder: null };
  const weights = weightsFile(await readState(folder));
  await verifyCheckpoint(folder, [weights]);
  return { weights: join(folder, weights), folder };
}

/** The weights' moving average, where the run kept one, is what was evaluated and what is used. */
export function weightsFile({ files }: CheckpointState): string {
  return "ema.safetensors" in files ? "ema.safetensors" : "model.safetensors";
}

/**
 * The folder that a CHECKPOINT argument means, its content not looked at; null for a weight file.
 *
 * @throws SegfuseError `SEGFUSE_CHECKPOINT`
 */
export async function checkpointFolder(path: string, prefer: Pointer): Promise<string | null> {
  const status = await stat(path).catch(() => null);
  if (status === null) throw none(path, "nothing of that name");
  if (!status.isDirectory()) return null;
  const files = await readdir(path);
  if (files.includes("state.json") || files.includes("model.safetensors")) return resolve(path);
  const checkpoints = new CheckpointFolder(path);
  for (const pointer of [prefer, "best", "last"] as const) {
    const folder = await checkpoints.named(pointer);
    if (folder === null) continue;
    if (existsSync(folder)) return folder;
    throw none(join(checkpoints.folder, pointer), `the name of ${basename(folder)}, which is not there`);
  }
  throw none(path, "a folder without checkpoints");
}

/**
 * Compares a checkpoint's files with what its `state.json` says of them.
 *
 * @param only these files; default: all
 * @throws SegfuseError `SEGFUSE_CHECKPOINT_DAMAGED` naming the file and what is wrong with it
 */
export async function verifyCheckpoint(folder: string, only?: readonly string[]): Promise<CheckpointState> {
  const state = await readState(folder);
  for (const [name, { bytes, sha256 }] of Object.entries(state.files)) {
    if (only !== undefined && !only.includes(name)) continue;
    const path = join(folder, name);
    const status = await stat(path).catch(() => null);
    if (status === null) throw damaged(path, "no such file");
    if (status.size !== bytes) throw damaged(path, `${status.size} bytes`, `${bytes} bytes`);
    const found = await sha256Of(path);
    if (found !== sha256) throw damaged(path, `SHA-256 ${found}`, `SHA-256 ${sha256}`);
  }
  return state;
}

/** Reads `state.json`. @throws SegfuseError `SEGFUSE_CHECKPOINT_DAMAGED` where it is missing or not what was written */
export async function readState(folder: string): Promise<CheckpointState> {
  const path = join(folder, "state.json");
  let state: CheckpointState;
  try {
    state = openState(await readFile(path, "utf8"));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw damaged(path, isMissing ? "no such file" : (cause as Error).message, undefined, cause);
  }
  const name = basename(folder);
  const stated = iterationOf(name.endsWith(oldSuffix) ? name.slice(0, -oldSuffix.length) : name);
  // Folders may be copied under other names, but one iteration's must not pass for another's.
  if (stated === null || stated === state.iteration) return state;
  throw damaged(path, `the state of iteration ${state.iteration}`, `that of iteration ${stated}`);
}

/** SHA-256 (hexadecimal) of a file. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function damaged(where: string, found: string, expected?: string, cause?: unknown): SegfuseError {
  return new SegfuseError("SEGFUSE_CHECKPOINT_DAMAGED", "a checkpoint is not what was written", {
    where,
    ...(expected === undefined ? {} : { expected }),
    found,
    advice: `another checkpoint in ${dirname(dirname(where))}; train --resume goes on from the newest whole one`,
    cause,
  });
}

function none(where: string, found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_CHECKPOINT", "there is no checkpoint", {
    where,
    found,
    expected: "an iter_N folder, a work folder with checkpoints/, or a weight file",
  });
}
