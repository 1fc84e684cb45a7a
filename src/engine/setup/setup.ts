import { existsSync, rmSync, symlinkSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { SegfuseError } from "../../errors.ts";
import { isRefused } from "../../util/file_system.ts";
import type { Logger } from "../../util/logger.ts";
import type { ProgressState } from "../../util/progress_display.ts";
import {
  addonFile,
  addonFolder,
  bindingCandidates,
  cachedTensorFlow,
  cacheFolder,
  pinnedTensorFlow,
  tensorflowLibraries,
  type BindingCandidate,
} from "../locate.ts";
import { packageFolder } from "../package.ts";
import { compileAddon } from "./compile.ts";
import { downloadWheel } from "./download.ts";
import { assertSpace, makeCacheFolder } from "./files.ts";
import { assertSupported, currentPlatform } from "./platform.ts";
import { probeAddon } from "./probe.ts";
import { findCompiler, findPython } from "./tools.ts";
import { unpackWheel } from "./unpack.ts";
import { withWorkspace, type Workspace } from "./workspace.ts";

/** Where a set-up tells how far it is: a `ProgressDisplay`. */
export interface SetupProgress extends Logger {
  update(state: ProgressState): void;
}

export interface SetupOptions {
  /** Make the engine again although it is there, the download included; default false. */
  force?: boolean;
}

/** The native engine that is ready now. */
export interface SetupResult {
  source: BindingCandidate["source"];
  addon: string;
  /** The TensorFlow it was made with; null for the stock install of tfjs-node-gpu. */
  tensorflow: string | null;
  /** Whether this call made it. */
  made: boolean;
}

/**
 * Makes the native engine, or finds it made: the stock install of tfjs-node-gpu, a TensorFlow that
 * `SEGFUSE_TENSORFLOW` names, the cache, else a download by pip. Everything is made in a temporary folder of the
 * cache and appears by one rename, so that nothing is ever half there.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_…`: what is missing, and what to do
 */
export async function setUpEngine(progress: SetupProgress, options: SetupOptions = {}): Promise<SetupResult> {
  const force = options.force ?? false;
  const ready = force ? null : await findWorking(progress);
  if (ready !== null) return { ...ready, made: false };

  const named = process.env.SEGFUSE_TENSORFLOW;
  const tensorflow = named ? namedTensorFlow(named) : cachedTensorFlow();
  // Whatever is missing is said before the long download.
  const compiler = findCompiler();
  const cache = cacheFolder();
  const download = !named && (force || !hasTensorFlow(tensorflow));
  if (download) assertSupported(currentPlatform());
  makeCacheFolder(cache);

  const onWait = (pid: number) =>
    progress.info(`waiting for another set-up of the engine${pid > 0 ? ` (process ${pid})` : ""}`);
  return withWorkspace(cache, onWait, async (workspace) => {
    const meanwhile = force ? null : findReady({ stock: false });
    if (meanwhile !== null) return { ...meanwhile, made: false };
    if (!named && (force || !hasTensorFlow(tensorflow)))
      await fetchTensorFlow(workspace, tensorflow, progress, force);
    const addon = await makeAddon(
      workspace,
      tensorflow,
      { compiler, named: Boolean(named), force },
      progress,
    );
    return { source: named ? "named" : "cache", addon, tensorflow, made: true };
  });
}

/**
 * The native engine that is there and wanted: the stock install of tfjs-node-gpu, else the one that
 * `SEGFUSE_TENSORFLOW` names (even if the cache holds another), else the cache's. It looks for files alone.
 */
export function findReady({ stock = true } = {}): Omit<SetupResult, "made"> | null {
  const candidates = bindingCandidates();
  const [wanted] = candidates.filter(({ source, exists }) => source !== "package" || (stock && exists));
  if (!wanted?.exists) return null;
  const { source, addon, tensorflow } = wanted;
  return { source, addon, tensorflow };
}

/** A stock install is not ours, so that it is tried before it is trusted. */
async function findWorking(progress: SetupProgress): Promise<Omit<SetupResult, "made"> | null> {
  const ready = findReady();
  if (ready?.source !== "package") return ready;
  const probe = await probeAddon(ready.addon);
  if (probe.works) return ready;
  progress.warn(`the stock install of @tensorflow/tfjs-node-gpu does not load: ${probe.reason}`);
  return findReady({ stock: false });
}

function hasTensorFlow(folder: string): boolean {
  return tensorflowLibraries.every((file) => existsSync(join(folder, file)));
}

function namedTensorFlow(named: string): string {
  const folder = resolve(named);
  const missing = [...tensorflowLibraries, "include/tensorflow/c/c_api.h"].filter(
    (file) => !existsSync(join(folder, file)),
  );
  if (missing.length === 0) return folder;
  throw new SegfuseError("SEGFUSE_SETUP_TENSORFLOW", "SEGFUSE_TENSORFLOW does not name a TensorFlow", {
    where: folder,
    expected: [...tensorflowLibraries, "include/"].join(", "),
    found: existsSync(folder) ? `no ${missing.join(", no ")}` : "no such folder",
    advice:
      'name the package folder of a Python tensorflow 2.x: `python3 -c "import importlib.util as u; ' +
      "print(u.find_spec('tensorflow').submodule_search_locations[0])\"`; or unset it, to download one",
  });
}

const megabytes = (bytes: number) => Math.round(bytes / 1e6);

async function fetchTensorFlow(
  workspace: Workspace,
  target: string,
  progress: SetupProgress,
  force: boolean,
): Promise<void> {
  const { version, wheelBytes, neededBytes } = pinnedTensorFlow;
  assertSpace(cacheFolder(), neededBytes);
  const { pip, python } = await findPython();
  progress.info(`TensorFlow ${version} for CPU (${megabytes(wheelBytes)} MB), once, into ${target}`);
  let shown = "";
  const show = (task: string, done: number, total: number) => {
    const state = { task, done: megabytes(Math.min(done, total)), total: megabytes(total), details: "MB" };
    // pip checks the hash after the last byte: no news for some seconds
    if (`${task} ${state.done}` === shown) return;
    shown = `${task} ${state.done}`;
    progress.update(state);
  };
  show("downloading", 0, wheelBytes);
  const wheel = await downloadWheel({
    pip,
    requirements: join(packageFolder(), "src", "engine", "setup", "requirements-linux-x64.txt"),
    folder: workspace.folder,
    onBytes: (bytes) => show("downloading", bytes, wheelBytes),
    onStart: workspace.started,
  });
  show("downloading", wheelBytes, wheelBytes);
  const folder = join(workspace.folder, "tensorflow");
  await unpackWheel({
    python,
    wheel,
    folder,
    onBytes: (done, total) => show("unpacking", done, total),
    onStart: workspace.started,
  });
  rmSync(wheel);
  workspace.publish(folder, target, tensorflowLibraries, force);
}

/** Puts TensorFlow beside an unfinished addon as it will be beside the finished one; false where there are no links. */
function linkBeside(tensorflow: string, folder: string): boolean {
  try {
    symlinkSync(tensorflow, join(folder, basename(tensorflow)));
    return true;
  } catch (error) {
    if (!isRefused("symlink", error)) throw error;
    return false;
  }
}

interface MakeAddonOptions {
  compiler: ReturnType<typeof findCompiler>;
  named: boolean;
  force: boolean;
}

async function makeAddon(
  workspace: Workspace,
  tensorflow: string,
  { compiler, named, force }: MakeAddonOptions,
  progress: SetupProgress,
): Promise<string> {
  progress.update({ task: "compiling the addon", done: 0, total: 1, details: compiler.join(" ") });
  const folder = join(workspace.folder, "addon");
  await compileAddon({
    compiler,
    tensorflow,
    // From $ORIGIN, so that the cache may be moved or copied to another machine.
    libraryPath: named ? tensorflow : `$ORIGIN/../${basename(tensorflow)}`,
    folder,
    onStart: workspace.started,
  });
  const isBeside = named || linkBeside(tensorflow, workspace.folder);
  const probe = await probeAddon(join(folder, addonFile), {
    onStart: workspace.started,
    ...(isBeside ? {} : { env: { LD_LIBRARY_PATH: tensorflow } }),
  });
  if (!probe.works) {
    throw new SegfuseError("SEGFUSE_ENGINE_BROKEN", "the new engine does not load", {
      where: tensorflow,
      found: probe.reason,
      advice: "this TensorFlow does not fit this machine; compute without: `--set engine.type=wasm`",
    });
  }
  const target = addonFolder(tensorflow);
  workspace.publish(folder, target, [addonFile], force);
  progress.update({ task: "compiling the addon", done: 1, total: 1, details: "done" });
  return join(target, addonFile);
}
