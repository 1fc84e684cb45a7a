import { randomUUID } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SegfuseError } from "../errors.ts";
import { isRefused, placeFile, refusal, writeAdvice, type OnRefused } from "./file_system.ts";
import { makeFolder } from "./folder.ts";

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, synced to disk, then renamed
 * over `path`. A reader never sees a part of it, and after a failure the temporary file is gone. Missing folders are
 * made. A file system that refuses to sync or to rename gets the best that it can: the file without a sync, or copied
 * over the one that is there.
 *
 * @param chunks the file's content in order; what they throw is passed on
 * @param onRefused is told what the file system has refused; default: nobody
 * @throws SegfuseError `SEGFUSE_WRITE` where the disk refuses
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  onRefused?: OnRefused,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  const told = <T>(work: Promise<T>) => toldAs(path, work);
  try {
    makeFolder(dirname(path));
  } catch (cause) {
    throw writeError(path, cause);
  }
  try {
    const handle = await told(open(temporary, "wx"));
    try {
      for await (const chunk of chunks) await told(writeAll(handle, chunk));
      await told(sync(handle, onRefused));
    } finally {
      await told(handle.close());
    }
    toldSync(path, () => placeFile(temporary, path, onRefused));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The same for content in one piece. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await writeFileAtomically(path, [content]);
}

/** What the file system's refusal to write a file or a folder is told as. */
export function writeError(path: string, cause: unknown): SegfuseError {
  return new SegfuseError("SEGFUSE_WRITE", "a file cannot be written", {
    where: path,
    found: refusal(cause),
    advice: [writeAdvice(cause), "name another place"].filter((way) => way !== null).join(", or "),
    cause,
  });
}

async function toldAs<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw writeError(path, cause);
  }
}

function toldSync(path: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** A write may take fewer bytes than it was given (2 GiB at most on Linux). */
async function writeAll(handle: FileHandle, chunk: string | Uint8Array): Promise<void> {
  const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  for (let at = 0; at < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - at, 2 ** 30);
    at += (await handle.write(bytes, at, length)).bytesWritten;
  }
}

/** Has a file's content written to the disk, where the file system does that. */
export async function syncFile(path: string, onRefused?: OnRefused): Promise<void> {
  const handle = await open(path, "r");
  try {
    await sync(handle, onRefused);
  } finally {
    await handle.close();
  }
}

async function sync(handle: FileHandle, onRefused: OnRefused | undefined): Promise<void> {
  try {
    await handle.sync();
  } catch (cause) {
    if (!isRefused("fsync", cause)) throw cause;
    onRefused?.("fsync", cause);
  }
}

/** Makes a rename inside `folder` last through a loss of power, where the platform lets a folder be opened. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await syncFile(folder);
  } catch {
    // Windows cannot open folders, some network file systems cannot sync them: the rename holds all the same.
  }
}
