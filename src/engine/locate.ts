import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { nodePackageFolder, nodePackageVersion, packageFolder } from "./package.ts";

/** The TensorFlow that `segfuse setup` downloads: its hash stands in `setup/requirements-linux-x64.txt`. */
export const pinnedTensorFlow = {
  version: "2.21.0",
  /** Bytes of the wheel, to show how far the download is. */
  wheelBytes: 274_000_871,
  /** Bytes on disk while it is set up: the wheel and what is kept of it. */
  neededBytes: 1_250_000_000,
} as const;

/** The two libraries of a TensorFlow; the first exports the whole C interface. */
export const tensorflowLibraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"] as const;

/** The file name that tfjs-node gives its addon. */
export const addonFile = "tfjs_binding.node";

/** The addon beside it that keeps TensorFlow's banners off standard error; see `setup/quiet.cc`. */
export const quietFile = "segfuse_quiet.node";

/** A native engine that may exist on this machine, in the order in which they are tried. */
export interface BindingCandidate {
  /** `package`: the stock install of tfjs-node-gpu; `named`: `SEGFUSE_TENSORFLOW`; `cache`: made by `segfuse setup`. */
  source: "package" | "named" | "cache";
  /** Where the addon is, or would be. */
  addon: string;
  /** Where its TensorFlow is; null where the addon brings its own. */
  tensorflow: string | null;
  /** Whether the addon and its TensorFlow are there. Whether they load is seen by loading. */
  exists: boolean;
}

/** `$SEGFUSE_CACHE`, else `$XDG_CACHE_HOME/segfuse`, else `~/.cache/segfuse`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SEGFUSE_CACHE) return resolve(env.SEGFUSE_CACHE);
  // The XDG specification says that a relative path is to be ignored.
  if (env.XDG_CACHE_HOME?.startsWith("/")) return join(env.XDG_CACHE_HOME, "segfuse");
  return join(homedir(), ".cache", "segfuse");
}

/** The folder in the cache that holds the downloaded TensorFlow. */
export function cachedTensorFlow(env: NodeJS.ProcessEnv = process.env): string {
  return join(
    cacheFolder(env),
    `tensorflow-cpu-${pinnedTensorFlow.version}-${process.platform}-${process.arch}`,
  );
}

/** The C++ source of {@link quietFile}. */
export function quietSource(): string {
  return join(packageFolder(), "src", "engine", "setup", "quiet.cc");
}

/**
 * The folder in the cache of the addon for one TensorFlow. Its name changes with whatever the compiled file
 * depends on, so that an addon is never used with another TensorFlow or another tfjs-node than it was made for.
 */
export function addonFolder(tensorflow: string, env: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash("sha256").update(readFileSync(quietSource()));
  let label: string = pinnedTensorFlow.version;
  if (tensorflow !== cachedTensorFlow(env)) {
    label = "named";
    const library = join(tensorflow, tensorflowLibraries[0]);
    if (existsSync(library)) {
      const { size, mtimeMs } = statSync(library);
      hash.update(`${realpathSync(library)}\n${size}\n${mtimeMs}`);
    }
  }
  const key = hash.digest("hex").slice(0, 12);
  return join(
    cacheFolder(env),
    `addon-tfjs${nodePackageVersion()}-tf${label}-${process.platform}-${process.arch}-${key}`,
  );
}

/** Every native engine that could be used, the preferred one first. */
export function bindingCandidates(env: NodeJS.ProcessEnv = process.env): BindingCandidate[] {
  const stock = join(nodePackageFolder(), "lib", "napi-v8", addonFile);
  const candidates: BindingCandidate[] = [
    { source: "package", addon: stock, tensorflow: null, exists: existsSync(stock) },
  ];
  if (env.SEGFUSE_TENSORFLOW) candidates.push(compiled("named", resolve(env.SEGFUSE_TENSORFLOW), env));
  candidates.push(compiled("cache", cachedTensorFlow(env), env));
  return candidates;
}

function compiled(source: "named" | "cache", tensorflow: string, env: NodeJS.ProcessEnv): BindingCandidate {
  const addon = join(addonFolder(tensorflow, env), addonFile);
  const exists = existsSync(addon) && tensorflowLibraries.every((file) => existsSync(join(tensorflow, file)));
  return { source, addon, tensorflow, exists };
}
