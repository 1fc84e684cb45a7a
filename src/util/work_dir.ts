import { constants } from "node:fs";
import { access, readdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { SegfuseError } from "../errors.ts";
import { freeSpace } from "./file_system.ts";
import { makeFolder } from "./folder.ts";

/**
 * Checks that a run can write to its output folder, and changes nothing: the folder itself is made by
 * {@link makeWorkDir}, when everything else was found right.
 *
 * @param allowContent the folder may hold a run already (a resume)
 * @throws SegfuseError `SEGFUSE_WORK_DIR`, `SEGFUSE_WORK_DIR_NOT_EMPTY`
 */
export async function checkWorkDir(workDir: string, allowContent: boolean): Promise<void> {
  const existing = await nearestExisting(resolve(workDir));
  if (!(await stat(existing)).isDirectory()) {
    throw unusable(workDir, `${existing} is a file`);
  }
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(workDir, `${existing} is not writable (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (existing !== resolve(workDir) || allowContent) return;
  const content = await readdir(workDir);
  if (content.length === 0) return;
  throw new SegfuseError("SEGFUSE_WORK_DIR_NOT_EMPTY", "the output folder is not empty", {
    where: workDir,
    found: content.slice(0, 4).join(", "),
    advice: "--resume to continue the run in it, or another --work-dir",
  });
}

/** Makes the folder. @throws SegfuseError `SEGFUSE_WORK_DIR` */
export function makeWorkDir(workDir: string): void {
  try {
    makeFolder(workDir);
  } catch (cause) {
    throw unusable(workDir, (cause as Error).message, cause);
  }
}

/** Bytes that can still be written where the folder is or will be; null where the system does not tell. */
export async function freeBytes(workDir: string): Promise<number | null> {
  return freeSpace(await nearestExisting(resolve(workDir)));
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if ((await stat(at).catch(() => null)) !== null || at === dirname(at)) return at;
  }
}

function unusable(workDir: string, found: string, cause?: unknown): SegfuseError {
  return new SegfuseError("SEGFUSE_WORK_DIR", "the output folder cannot be used", {
    where: workDir,
    found,
    advice: "another output folder",
    cause,
  });
}
