import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { SegfuseError } from "../../errors.ts";
import { refusal, syncFolder, writeFileAtomically } from "../../util/atomic_file.ts";
import { makeFolder } from "../../util/folder.ts";
import { fileShape, toFileOrder } from "../../weights/layout.ts";
import { safetensorsChunks, type StoredTensor } from "../../weights/safetensors.ts";
import { checkpointName, iterationOf, oldSuffix, readPointer, type Pointer } from "./names.ts";
import { checkpointFormat, sealState, type CheckpointJob, type FileSeal, type Retention } from "./state.ts";

/** Room for headers, `state.json`, pointers and folders. */
const overheadBytes = 2 ** 18;

/**
 * Writes a checkpoint to a temporary folder, syncs and renames it, and then points `last` (and `best`) to it: at
 * every moment what they name is whole, on the disk and not only in its cache. What is no longer kept goes last.
 *
 * @returns the checkpoint's folder
 * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE`; what was whole before still is
 */
export async function storeCheckpoint(job: CheckpointJob): Promise<string> {
  const { folder, state, retention } = job;
  const name = checkpointName(state.iteration);
  const temporary = join(folder, `.${name}.${randomUUID()}.tmp`);
  try {
    makeFolder(folder);
    await removeBroken(folder);
    await checkRoom(job);
    await mkdir(temporary);
    const files: Record<string, FileSeal> = {};
    for (const file of job.files) files[file.name] = await writeTensors(temporary, file);
    const text = sealState({ format: checkpointFormat, ...state, files });
    await writeFileAtomically(join(temporary, "state.json"), [text]);
    await replace(folder, temporary, name);
    await point(folder, "last", name);
    if (state.best?.iteration === state.iteration) await point(folder, "best", name);
    await prune(folder, state.iteration, retention);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw unwritten(join(folder, name), error);
  }
  return join(folder, name);
}

async function writeTensors(folder: string, file: CheckpointJob["files"][number]): Promise<FileSeal> {
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
  await writeFileAtomically(join(folder, file.name), chunks);
  return { bytes, sha256: hash.digest("hex") };
}

/**
 * A checkpoint of this iteration can be there already (of a run that was resumed from before it). It is moved
 * aside and not removed first: readers know its other name, so that a kill in between loses nothing.
 */
async function replace(folder: string, temporary: string, name: string): Promise<void> {
  const target = join(folder, name);
  const aside = join(folder, name + oldSuffix);
  if (existsSync(target)) {
    await rm(aside, { recursive: true, force: true });
    await rename(target, aside);
  }
  await rename(temporary, target);
  await syncFolder(folder);
  await rm(aside, { recursive: true, force: true });
}

async function point(folder: string, pointer: Pointer, name: string): Promise<void> {
  await writeFileAtomically(join(folder, pointer), [`${name}\n`]);
}

/** Removes what killed runs left: temporary files and folders, and replaced checkpoints whose new one is whole. */
async function removeBroken(folder: string): Promise<void> {
  const entries = new Set(await readdir(folder));
  for (const name of entries) {
    const isTemporary = /^\.(iter_\d+|last|best)\..*\.tmp$/.test(name);
    const isReplaced = name.endsWith(oldSuffix) && entries.has(name.slice(0, -oldSuffix.length));
    if (isTemporary || isReplaced) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Checkpoints beyond this iteration belong to a run that was left for an earlier one: they stay until they are replaced. */
async function prune(folder: string, iteration: number, { keepLast, keepEvery }: Retention): Promise<void> {
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
  for (const name of old) await rm(join(folder, name), { recursive: true, force: true });
}

async function checkRoom({ folder, files, state }: CheckpointJob): Promise<void> {
  let needed = overheadBytes;
  for (const { tensors } of files) for (const { values } of tensors) needed += values.byteLength;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  const megabytes = (n: number) => `${(n / 2 ** 20).toFixed(1)} MiB`;
  throw unwritten(
    join(folder, checkpointName(state.iteration)),
    new Error(`${megabytes(free)} free on the disk`),
    megabytes(needed),
  );
}

/** What a failure to write is told as. */
export function unwritten(where: string, cause: unknown, expected?: string): SegfuseError {
  const coded = cause instanceof SegfuseError ? cause : null;
  if (coded !== null && coded.code !== "SEGFUSE_WRITE") return coded;
  return new SegfuseError("SEGFUSE_CHECKPOINT_WRITE", "a checkpoint could not be written", {
    where,
    ...(expected === undefined ? {} : { expected }),
    found: coded?.details.found ?? refusal(cause),
    advice: "make room or give the folder back, then --resume: the checkpoints before this one are whole",
    cause,
  });
}
