import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { SegfuseError } from "../errors.ts";
import { syncFolder, writeFileAtomically } from "../util/atomic_file.ts";
import {
  freeSpace,
  placeFolder,
  refusal,
  removeOld,
  writeAdvice,
  type OnRefused,
} from "../util/file_system.ts";
import { makeFolder } from "../util/folder.ts";
import { fileShape, toFileOrder } from "../weights/layout.ts";
import { safetensorsChunks, type StoredTensor } from "../weights/safetensors.ts";
import { checkpointName, iterationOf, oldSuffix, readPointer, type Pointer } from "./names.ts";
import { checkpointFormat, sealState, type CheckpointJob, type FileSeal, type Retention } from "./state.ts";

/** Without it a folder is no checkpoint: it has the sums of the others. */
export const sealFile = "state.json";

/** Room for headers, `state.json`, pointers and folders. */
const overheadBytes = 2 ** 18;

/**
 * Writes a checkpoint to a temporary folder, syncs and renames it, and then points `last` (and `best`) to it: at
 * every moment what they name is whole, on the disk and not only in its cache. What is no longer kept goes last.
 * Where the file system refuses a rename, `state.json` is the last file to arrive: what a kill leaves without it counts
 * as damaged.
 *
 * @param onRefused is told what the file system has refused
 * @returns the checkpoint's folder
 * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE`; what was whole before still is
 */
export async function storeCheckpoint(job: CheckpointJob, onRefused?: OnRefused): Promise<string> {
  const { folder, state, retention } = job;
  const name = checkpointName(state.iteration);
  const temporary = join(folder, `.${name}.${randomUUID()}.tmp`);
  try {
    makeFolder(folder);
    await removeBroken(folder, onRefused);
    checkRoom(job);
    await mkdir(temporary);
    const files: Record<string, FileSeal> = {};
    for (const file of job.files) files[file.name] = await writeTensors(temporary, file, onRefused);
    const text = sealState({ format: checkpointFormat, ...state, files });
    await writeFileAtomically(join(temporary, sealFile), [text], onRefused);
    await replace(folder, temporary, name, onRefused);
    await point(folder, "last", name, onRefused);
    if (state.best?.iteration === state.iteration) await point(folder, "best", name, onRefused);
    await prune(folder, state.iteration, retention, onRefused);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw unwritten(join(folder, name), error);
  }
  return join(folder, name);
}

async function writeTensors(
  folder: string,
  file: CheckpointJob["files"][number],
  onRefused: OnRefused | undefined,
): Promise<FileSeal> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, layout, shape, values } of file.tensors)
    tensors.set(name, { shape: fileShape(layout, shape), data: toFileOrder(layout, shape, values) });
  const chunks = safetensorsChunks(tensors, file.metadata);
  // Of the bytes in memory: what the disk makes of them is then found when they are read.
  const hash = createHash("sha256");
  let bytes = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  await writeFileAtomically(join(folder, file.name), chunks, onRefused);
  return { bytes, sha256: hash.digest("hex") };
}

/**
 * A checkpoint of this iteration can be there already (of a run that was resumed from before it). It is moved
 * aside and not removed first: readers know its other name, so that a kill in between loses nothing.
 */
async function replace(
  folder: string,
  temporary: string,
  name: string,
  onRefused: OnRefused | undefined,
): Promise<void> {
  const target = join(folder, name);
  const aside = join(folder, name + oldSuffix);
  if (existsSync(target)) {
    await rm(aside, { recursive: true, force: true });
    placeFolder(target, aside, [sealFile], onRefused);
  }
  placeFolder(temporary, target, [sealFile], onRefused);
  await syncFolder(folder);
  removeOld(aside, onRefused);
}

async function point(
  folder: string,
  pointer: Pointer,
  name: string,
  onRefused: OnRefused | undefined,
): Promise<void> {
  await writeFileAtomically(join(folder, pointer), [`${name}\n`], onRefused);
}

/** Removes what killed runs left: temporary files and folders, and replaced checkpoints whose new one is whole. */
async function removeBroken(folder: string, onRefused: OnRefused | undefined): Promise<void> {
  const entries = new Set(await readdir(folder));
  for (const name of entries) {
    const isTemporary = /^\.(iter_\d+|last|best)\..*\.tmp$/.test(name);
    const isReplaced = name.endsWith(oldSuffix) && entries.has(name.slice(0, -oldSuffix.length));
    if (isTemporary || isReplaced) removeOld(join(folder, name), onRefused);
  }
}

/** Checkpoints beyond this iteration belong to a run that was left for an earlier one: they stay until they are replaced. */
async function prune(
  folder: string,
  iteration: number,
  { keepLast, keepEvery }: Retention,
  onRefused: OnRefused | undefined,
): Promise<void> {
  const kept = [await readPointer(folder, "last"), await readPointer(folder, "best")];
  const old = (await readdir(folder))
    .map(iterationOf)
    .filter((found) => found !== null)
    .filter((found) => found <= iteration)
    .sort((a, b) => b - a)
    .slice(keepLast)
    .filter((found) => keepEvery === null || found % keepEvery !== 0)
    .map(checkpointName)
    .filter((name) => !kept.includes(name));
  for (const name of old) removeOld(join(folder, name), onRefused);
}

function checkRoom({ folder, files, state }: CheckpointJob): void {
  let needed = overheadBytes;
  for (const { tensors } of files) for (const { values } of tensors) needed += values.byteLength;
  const free = freeSpace(folder);
  if (free === null || free >= needed) return;
  const megabytes = (n: number) => `${(n / 2 ** 20).toFixed(1)} MiB`;
  throw unwritten(
    join(folder, checkpointName(state.iteration)),
    Object.assign(new Error(`${megabytes(free)} free on the disk`), { code: "ENOSPC" }),
    megabytes(needed),
  );
}

/** What a failure to write is told as. */
export function unwritten(where: string, cause: unknown, expected?: string): SegfuseError {
  const coded = cause instanceof SegfuseError ? cause : null;
  if (coded !== null && coded.code !== "SEGFUSE_WRITE") return coded;
  const way = writeAdvice(coded?.cause ?? cause) ?? "see that the folder can be written";
  return new SegfuseError("SEGFUSE_CHECKPOINT_WRITE", "a checkpoint could not be written", {
    where,
    ...(expected === undefined ? {} : { expected }),
    found: coded?.details.found ?? refusal(cause),
    advice: `${way}, then --resume: the checkpoints before this one are whole`,
    cause,
  });
}
