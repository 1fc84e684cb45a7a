import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  type StatsFs,
} from "node:fs";
import { join } from "node:path";

/** What some network and FUSE mounts refuse, and what is done without it. */
export type Refusable = "fsync" | "rename" | "removal";

/** Is told what a file system has refused, each time: whoever warns of it does so once. */
export type OnRefused = (operation: Refusable, cause: unknown) => void;

const space = ["ENOSPC", "EDQUOT"];
const rights = ["EACCES", "EPERM", "EROFS"];

/** Numbers that Node has no name for. 524 is the kernel's own, which NFS lets through. */
const unnamed = new Map([
  [-122, { code: "EDQUOT", text: "disk quota exceeded" }],
  [-524, { code: "ENOTSUPP", text: "operation is not supported" }],
]);

/** What file systems answer that do not have an operation. */
const unsupported = ["ENOTSUPP", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EINVAL", "EPERM", "EACCES"];
const refusals: Readonly<Record<Refusable | "symlink", readonly string[]>> = {
  // CIFS: no fsync of what was opened for reading.
  fsync: [...unsupported, "EBADF"],
  // Not over a file that is there, or that somebody has open; not of folders that lie on another layer.
  rename: [...unsupported, "EEXIST", "EBUSY", "ETXTBSY", "EXDEV"],
  // NFS keeps an open file under another name in its folder.
  removal: [...unsupported, "EBUSY", "ETXTBSY", "ENOTEMPTY"],
  symlink: unsupported,
};

/** Whether the file system has refused an operation that can be done without: nothing was lost, and no space is missing. */
export function isRefused(operation: Refusable | "symlink", cause: unknown): boolean {
  return refusals[operation].includes(codeOf(cause));
}

/** Whether the disk, or what of it is ours, is full. */
export function isSpaceProblem(cause: unknown): boolean {
  return space.includes(codeOf(cause));
}

function codeOf(cause: unknown): string {
  const { code, errno } = (cause ?? {}) as NodeJS.ErrnoException;
  return unnamed.get(errno ?? 0)?.code ?? code ?? "";
}

/** An error of the file system without Node's "…, open '…'": the name there is often a temporary file's. */
export function refusal(cause: unknown): string {
  const known = unnamed.get((cause as NodeJS.ErrnoException | null)?.errno ?? 0);
  if (known !== undefined) return `${known.code}: ${known.text}`;
  return cause instanceof Error ? cause.message.split(", ")[0]! : String(cause);
}

/** What to do about a file or folder that the file system did not let us write; null where that depends. */
export function writeAdvice(cause: unknown): string | null {
  const code = codeOf(cause);
  if (space.includes(code)) return "make room there";
  if (rights.includes(code)) return "give rights there";
  if (code === "EFBIG") return "let files there be larger (ulimit -f)";
  return null;
}

/**
 * Bytes that can still be written in an existing folder; null where the file system does not tell: some have no
 * answer, some FUSE mounts say that they have no blocks at all.
 */
export function freeSpace(folder: string): number | null {
  let status: StatsFs;
  try {
    status = statfsSync(folder);
  } catch {
    return null;
  }
  return status.blocks === 0 ? null : status.bavail * status.bsize;
}

/**
 * Puts a finished folder in its place by one rename. Where that is refused its files are moved or copied one by one,
 * those of `seal` last: without them nobody takes the folder for whole.
 *
 * @param target does not exist
 * @throws Error of the file system
 */
export function placeFolder(
  folder: string,
  target: string,
  seal: readonly string[],
  onRefused?: OnRefused,
): void {
  try {
    renameSync(folder, target);
  } catch (cause) {
    if (!isRefused("rename", cause)) throw cause;
    onRefused?.("rename", cause);
    placeFiles(folder, target, seal);
    rmSync(folder, { recursive: true, force: true });
  }
}

function placeFiles(folder: string, target: string, seal: readonly string[]): void {
  mkdirSync(target);
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => Number(seal.includes(a.name)) - Number(seal.includes(b.name)));
  for (const entry of entries) {
    const [from, to] = [join(folder, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) placeFiles(from, to, seal);
    else placeFile(from, to);
  }
}

/** Puts a finished file in its place by a rename, else by a copy over what may be there. */
export function placeFile(file: string, target: string, onRefused?: OnRefused): void {
  try {
    renameSync(file, target);
  } catch (cause) {
    if (!isRefused("rename", cause)) throw cause;
    onRefused?.("rename", cause);
    copyOver(file, target);
    rmSync(file, { force: true });
  }
}

function copyOver(file: string, target: string): void {
  const isNew = !existsSync(target);
  try {
    copyFileSync(file, target);
    syncCopy(target);
  } catch (error) {
    if (isNew) rmSync(target, { force: true });
    throw error;
  }
}

function syncCopy(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } catch (cause) {
    if (!isRefused("fsync", cause)) throw cause;
  } finally {
    closeSync(file);
  }
}

/**
 * Removes a file or folder that nobody needs any more. Where it cannot go, because somebody has a file of it open on a
 * network disk for instance, it stays.
 */
export function removeOld(path: string, onRefused?: OnRefused): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (cause) {
    if (!isRefused("removal", cause)) throw cause;
    onRefused?.("removal", cause);
  }
}
