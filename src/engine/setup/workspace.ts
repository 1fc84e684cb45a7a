import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isRefused, placeFolder } from "../../util/file_system.ts";
import { isHangupIgnored } from "../../util/hangup.ts";
import { fileError } from "./files.ts";

/** How often a set-up says that it is alive, and after how long without it counts as dead. Milliseconds. */
const heartbeat = 5_000;
const staleAfter = 60_000;

const host = createHash("sha256").update(os.hostname()).digest("hex").slice(0, 8);
const prefix = ".tmp-";
const lockName = "setup.lock";

/** Where one set-up works: a temporary folder beside the finished ones, the lock, and what it has started. */
export class Workspace {
  private readonly children = new Set<ChildProcess>();

  constructor(
    private readonly cache: string,
    /** The temporary folder. */
    readonly folder: string,
  ) {}

  /** Registers a program that is ended with the set-up; pass it as `onStart`. */
  readonly started = (child: ChildProcess): void => {
    this.children.add(child);
    child.once("close", () => this.children.delete(child));
  };

  /**
   * Puts a finished folder of the workspace in its place, in one step. One that is there already, made by a
   * set-up that was faster, stays, unless `replace` is set.
   *
   * @param seal files that come last where the file system needs several steps: without them a folder is not whole
   */
  publish(folder: string, target: string, seal: readonly string[], replace: boolean): void {
    const isWhole = seal.every((file) => existsSync(join(target, file)));
    if (replace || !isWhole) moveAway(target, join(this.folder, `old-${process.hrtime.bigint()}`));
    try {
      placeFolder(folder, target, seal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOTEMPTY" && code !== "EEXIST") throw fileError(error, this.cache);
    }
  }

  /** Ends what runs and removes the temporary folder. */
  dispose(): void {
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function moveAway(target: string, away: string): void {
  try {
    renameSync(target, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    if (!isRefused("rename", error)) throw error;
    rmSync(target, { recursive: true, force: true });
  }
}

/**
 * Runs one set-up at a time. A second one waits, says so, and then finds everything made. The lock only saves a
 * second download: whatever appears in the cache appears by one rename, so that two set-ups at once (on a network
 * disk whose locks fail, for instance) harm nothing. A lock or a temporary folder whose process is dead, or has
 * not said for a minute that it is alive, counts for nothing and is removed.
 *
 * @param cache an existing folder
 * @param onWait called once where another set-up is running
 */
export async function withWorkspace<T>(
  cache: string,
  onWait: (pid: number) => void,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const lock = join(cache, lockName);
  await takeLock(lock, onWait);
  let workspace: Workspace;
  try {
    removeStale(cache);
    workspace = new Workspace(cache, mkdtempSync(join(cache, `${prefix}${host}-${process.pid}-`)));
  } catch (error) {
    rmSync(lock, { force: true });
    throw fileError(error, cache);
  }
  const clean = () => {
    workspace.dispose();
    rmSync(lock, { force: true });
  };
  const releaseSignals = onSignals(clean);
  const beat = setInterval(() => touch(lock, workspace.folder), heartbeat);
  try {
    return await work(workspace);
  } catch (error) {
    throw fileError(error, cache);
  } finally {
    clearInterval(beat);
    releaseSignals();
    clean();
  }
}

async function takeLock(lock: string, onWait: (pid: number) => void): Promise<void> {
  for (let waited = false; ;) {
    try {
      writeFileSync(lock, `${host}-${process.pid}`, { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError(error, lock);
    }
    const owner = readOwner(lock);
    if (owner === null) continue; // gone in the meantime
    if (isStale(owner, lock)) {
      rmSync(lock, { force: true });
      continue;
    }
    if (!waited) onWait(owner.pid);
    waited = true;
    await sleep(200);
  }
}

interface Owner {
  host: string;
  pid: number;
}

function readOwner(lock: string): Owner | null {
  try {
    return parseOwner(readFileSync(lock, "utf8"));
  } catch {
    return null;
  }
}

function parseOwner(text: string): Owner {
  const [ownHost = "", pid = ""] = text.split("-");
  return { host: ownHost, pid: Number(pid) };
}

function isStale(owner: Owner, path: string): boolean {
  if (owner.host === host && !isAlive(owner.pid)) return true;
  const info = statSync(path, { throwIfNoEntry: false });
  return info === undefined || Date.now() - info.mtimeMs > staleAfter;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeStale(cache: string): void {
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith(prefix))) {
    const path = join(cache, name);
    if (isStale(parseOwner(name.slice(prefix.length)), path)) rmSync(path, { recursive: true, force: true });
  }
}

function touch(...paths: string[]): void {
  const now = new Date();
  for (const path of paths) {
    try {
      utimesSync(path, now, now);
    } catch {
      // Someone took it for dead; the work goes on, and its result counts if it is the first.
    }
  }
}

/** Cleans up before a signal ends this process as it would have without us. */
function onSignals(clean: () => void): () => void {
  const signals = (["SIGINT", "SIGTERM", "SIGHUP"] as const).filter(
    (signal) => signal !== "SIGHUP" || !isHangupIgnored(),
  );
  const release = () => signals.forEach((signal) => process.off(signal, handler));
  const handler = (signal: NodeJS.Signals) => {
    release();
    clean();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  signals.forEach((signal) => process.on(signal, handler));
  return release;
}
