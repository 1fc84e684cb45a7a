import { isUtf8 } from "node:buffer";
import type { Dirent } from "node:fs";
import { readdir, readlink, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { SegfuseError } from "../errors.ts";
import { pathInside } from "./file_names.ts";

const dot = ".".charCodeAt(0);

/**
 * The files below a folder, by their paths inside it, with `/`. Links are followed, to files and to folders; hidden
 * files and folders are passed over. The order is the system's.
 *
 * @param isWanted asked with a file's path inside the folder; what is not wanted raises no error either
 * @throws SegfuseError SEGFUSE_DATA_FILE where a wanted file's or a folder's name is not UTF-8 or a link leads nowhere
 *   or back above itself, SEGFUSE_DATA_ROOT where a folder cannot be read
 */
export async function filesBelow(folder: string, isWanted: (path: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  await walk({ folder, inner: "", linksIn: [] }, isWanted, found);
  return found;
}

interface Place {
  readonly folder: string;
  /** The folder's path inside the one that the walk began at; ends in `/` where it is not empty. */
  readonly inner: string;
  /** The folders, by their true paths, that held the links by which the walk came here. */
  readonly linksIn: readonly string[];
}

async function walk(place: Place, isWanted: (path: string) => boolean, found: string[]): Promise<void> {
  const { folder, inner, linksIn } = place;
  for (const entry of await entriesOf(folder)) {
    const bytes = entry.name;
    if (bytes[0] === dot) continue;
    if (!isUtf8(bytes)) {
      if (entry.isDirectory() || isWanted(inner + bytes.toString("latin1"))) throw notUtf8(folder, bytes);
      continue;
    }
    const name = bytes.toString();
    const path = join(folder, name);
    if (entry.isFile()) {
      if (isWanted(inner + name)) found.push(inner + name);
    } else if (entry.isDirectory()) {
      await walk({ folder: path, inner: `${inner}${name}/`, linksIn }, isWanted, found);
    } else if (entry.isSymbolicLink()) {
      // A broken link without an ending was probably one to a folder: samples would be missing without a word.
      const kind = await linkKind(path, isWanted(inner + name) || !name.includes("."));
      if (kind === "file" && isWanted(inner + name)) found.push(inner + name);
      if (kind !== "folder") continue;
      const holders = [...linksIn, await realpath(folder)];
      await refuseLoop(path, holders);
      await walk({ folder: path, inner: `${inner}${name}/`, linksIn: holders }, isWanted, found);
    }
  }
}

/** Names as bytes: where they are no UTF-8, a text would name a file that is not there. */
async function entriesOf(folder: string): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(folder, { withFileTypes: true, encoding: "buffer" });
  } catch (cause) {
    throw new SegfuseError("SEGFUSE_DATA_ROOT", "a folder of the data set cannot be read", {
      where: folder,
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

async function linkKind(link: string, isNeeded: boolean): Promise<"file" | "folder" | null> {
  try {
    const status = await stat(link);
    return status.isDirectory() ? "folder" : status.isFile() ? "file" : null;
  } catch (cause) {
    if (!isNeeded) return null;
    const inCircle = (cause as NodeJS.ErrnoException).code === "ELOOP";
    throw new SegfuseError(
      "SEGFUSE_DATA_FILE",
      inCircle ? "a link leads to itself" : "a link leads nowhere",
      {
        where: link,
        found: `a link to ${await readlink(link).catch(() => "?")}`,
        advice: "make what it leads to available (a disk that is not mounted?), or remove the link",
        cause,
      },
    );
  }
}

/** A link to a folder in which it lies itself, or in which a link lies that led here, would never end. */
async function refuseLoop(link: string, holders: readonly string[]): Promise<void> {
  const target = await realpath(link);
  if (!holders.some((holder) => pathInside(target, holder) !== null)) return;
  throw new SegfuseError("SEGFUSE_DATA_FILE", "a link leads back to a folder that it lies in", {
    where: link,
    expected: "folders that end",
    found: `a link to ${target}`,
    advice: "remove the link: what is below it would be counted again and again",
  });
}

function notUtf8(folder: string, name: Buffer): SegfuseError {
  return new SegfuseError("SEGFUSE_DATA_FILE", "a file's name is not UTF-8", {
    where: folder,
    found: escapedBytes(name),
    advice:
      "rename it; for many: convmv -f latin1 -t utf8 -r --notest FOLDER (in the encoding that they have)",
  });
}

/** Bytes as text, those that are no ASCII as `\xE9`. */
export function escapedBytes(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replaceAll(/[^\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
