import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A `require` that resolves from segfuse's own folder: TensorFlow.js's inner modules are CommonJS. */
export const requireFromSegfuse = createRequire(import.meta.url);

/**
 * The folder of segfuse's own `package.json`. It is the same for the sources (`src/engine/package.ts`) and
 * for the build (`dist/src/engine/package.js`), so that files which are not JavaScript need no copy in `dist/`.
 */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) throw new Error("segfuse's own package.json is missing");
  }
}

/** The version in segfuse's own `package.json`. */
export function segfuseVersion(): string {
  return readVersion(join(packageRoot(), "package.json"));
}

/** Where the package `@tensorflow/tfjs-node-gpu` is installed: its addon's C++ sources and its kernels. */
export function nodePackageFolder(): string {
  return dirname(requireFromSegfuse.resolve("@tensorflow/tfjs-node-gpu/package.json"));
}

/** The version of `@tensorflow/tfjs-node-gpu`, which is also the addon's. */
export function nodePackageVersion(): string {
  return readVersion(join(nodePackageFolder(), "package.json"));
}

function readVersion(file: string): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
