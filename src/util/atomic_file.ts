import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, synced to disk, then renamed
 * over `path`. A reader never sees a part of it, and after a failure the temporary file is gone.
 *
 * @param chunks the file's content in order
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(temporary, "wx");
    try {
      for await (const chunk of chunks) await writeAll(handle, chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The same for content in one piece; missing folders are made. Errors of the file system are passed on. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, [content]);
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
