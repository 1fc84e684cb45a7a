import { existsSync } from "node:fs";
import { cp, readdir, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { SegfuseError } from "../errors.ts";
import { syncFile, syncFolder, writeFileAtomically } from "../util/atomic_file.ts";
import { placeFolder } from "../util/file_system.ts";
import { makeFolder } from "../util/folder.ts";
import { CheckpointFolder, verifyCheckpoint } from "./folder.ts";
import type { ResumePoint } from "./resume.ts";
import { checkpointName } from "./names.ts";
import { sealFile, unwritten } from "./store.ts";

/**
 * Makes a work folder's `last` and `best` those of the checkpoint that the run in it goes on from. `last` is left
 * alone where that is in another folder; the best one is then copied, so that the score that later ones are
 * compared with has its weights here.
 *
 * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE`
 */
export async function adoptPointers(workDir: string, point: ResumePoint): Promise<void> {
  const { folder } = new CheckpointFolder(workDir);
  try {
    await adopt(folder, point);
  } catch (error) {
    throw unwritten(folder, error);
  }
}

async function adopt(own: string, { folder, state }: ResumePoint): Promise<void> {
  const theirs = dirname(resolve(folder));
  if (theirs === resolve(own)) await point(own, "last", checkpointName(state.iteration));
  if (state.best === null) return;
  const name = checkpointName(state.best.iteration);
  const best = join(theirs, name);
  // It may have been pruned since, for a better one that came after this checkpoint.
  if (!existsSync(best) || !(await isWhole(best))) return;
  if (theirs !== resolve(own)) await copyCheckpoint(best, own);
  await point(own, "best", name);
}

async function isWhole(folder: string): Promise<boolean> {
  try {
    await verifyCheckpoint(folder);
    return true;
  } catch (error) {
    if (error instanceof SegfuseError) return false;
    throw error;
  }
}

async function copyCheckpoint(source: string, into: string): Promise<void> {
  const name = basename(source);
  const temporary = join(into, `.${name}.copy.tmp`);
  if (existsSync(join(into, name))) return;
  makeFolder(into);
  await rm(temporary, { recursive: true, force: true });
  await cp(source, temporary, { recursive: true });
  for (const file of await readdir(temporary)) await syncFile(join(temporary, file));
  await syncFolder(temporary);
  placeFolder(temporary, join(into, name), [sealFile]);
  await syncFolder(into);
}

async function point(folder: string, pointer: "last" | "best", name: string): Promise<void> {
  await writeFileAtomically(join(folder, pointer), [`${name}\n`]);
}
