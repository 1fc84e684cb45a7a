import { readFileSync } from "node:fs";
import { packageRoot } from "./package_root.ts";

/** segfuse's own version. */
export function segfuseVersion(): string {
  return versionIn(new URL("package.json", packageRoot()));
}

/** What a log or report says of the software that made it: versions by name. */
export function versions(): Record<string, string> {
  return { segfuse: segfuseVersion(), node: process.versions.node };
}

function versionIn(file: URL): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
