import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { packageRoot } from "../util/package_root.ts";

/** A `require` that resolves from segfuse's own folder: TensorFlow.js's inner modules are CommonJS. */
export const requireFromSegfuse = createRequire(import.meta.url);

/** The folder of segfuse's own `package.json`; files that are not JavaScript are found from there. */
export function packageFolder(): string {
  return fileURLToPath(packageRoot());
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
