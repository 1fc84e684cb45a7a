import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { SegfuseError } from "../errors.ts";
import { makeFolder } from "./folder.ts";

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, synced to disk, then renamed
 * over `path`. A reader never sees a part of it, and after a failure the temporary file is gone. Missing folders are
 * made.
 *
 * @param chunks the file's content in order; what they throw is passed on
 * @throws SegfuseError `SEGFUSE_WRITE` where the disk refuses
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
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
      await told(handle.sync());
    } finally {
      await told(handle.close());
    }
    await told(rename(temporary, path));
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
    advice: "make room or give rights there, or name another place",
    cause,
  });
}

/** An error of the file system without Node's "…, open '…'": the name there is often a temporary file's. */
export function refusal(cause: unknown): string {
  return cause instanceof Error ? cause.message.split(", ")[0]! : String(cause);
}

async function toldAs<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/** A write may take fewer bytes than it was given (2 GiB at most on Linux). */
async function writeAll(handle: Awaited<ReturnType<typeof open>>, chunk: string | Uint8Array): Promise<void> {
  const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  for (let at = 0; at < bytes.byteLength;) {
    const length = Math.min(bytes.byteLength - at, 2 ** 30);
    at += (await handle.write(bytes, at, length)).bytesWritten;
  }
}

/** Has a file's content written to the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
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
