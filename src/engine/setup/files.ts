import { SegfuseError } from "../../errors.ts";
import { freeSpace, isSpaceProblem } from "../../util/file_system.ts";
import { makeFolder } from "../../util/folder.ts";

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** Where the cache is said to be elsewhere. */
const elsewhere = "set SEGFUSE_CACHE to another folder";

/** An error of the file system as one that says what to do; others are returned as they are. */
export function fileError(error: unknown, folder: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (isSpaceProblem(error)) return diskError(folder, message);
  if (
    code !== undefined &&
    ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENOENT", "ELOOP"].includes(code)
  ) {
    return new SegfuseError("SEGFUSE_SETUP_CACHE", "the cache folder cannot be written", {
      where: folder,
      found: message,
      advice: elsewhere,
      cause: error,
    });
  }
  return error;
}

/** The error of a disk that filled up. */
export function diskError(folder: string, found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_SETUP_DISK", "the disk of the cache folder is full", {
    where: folder,
    found,
    advice: `free some space, or ${elsewhere}`,
  });
}

/**
 * Makes the cache folder.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_CACHE`, `SEGFUSE_SETUP_DISK`
 */
export function makeCacheFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw fileError(error, folder);
  }
}

/**
 * @param folder one that exists
 * @param bytes that are going to be written there
 * @throws SegfuseError `SEGFUSE_SETUP_DISK` where fewer are free
 */
export function assertSpace(folder: string, bytes: number): void {
  const free = freeSpace(folder);
  if (free === null || free >= bytes) return;
  throw new SegfuseError("SEGFUSE_SETUP_DISK", "the disk of the cache folder has too little space", {
    where: folder,
    expected: `${gigabytes(bytes)} free`,
    found: gigabytes(free),
    advice: `free some space, or ${elsewhere}`,
  });
}
