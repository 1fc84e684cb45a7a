import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SegfuseError } from "../errors.ts";

// Modules belong to the thread and not to a run: so does the list of files whose errors are a plug-in's.
const key = Symbol.for("segfuse.plugin_files");

function pluginFiles(): Set<string> {
  const thread = globalThis as { [key]?: Set<string> };
  return (thread[key] ??= new Set());
}

/** Notes a file that is imported as a plug-in. */
export function notePlugin(path: string): void {
  pluginFiles().add(path).add(realpathSync(path));
}

/**
 * An error that a plug-in's own code threw, told by its path and line; null for any other. A program's error is a
 * plug-in's where the plug-in's file is on its stack.
 */
export function pluginFailure(error: unknown): SegfuseError | null {
  if (error instanceof SegfuseError || !(error instanceof Error)) return null;
  const files = pluginFiles();
  for (const [, file, position] of (error.stack ?? "").matchAll(
    /(?:\(|at )((?:file:\/\/)?\/.+?):(\d+:\d+)\)?$/gm,
  )) {
    const path = file!.startsWith("file://") ? fileURLToPath(file!.replace(/[?#].*$/, "")) : file!;
    if (!files.has(path)) continue;
    return new SegfuseError("SEGFUSE_PLUGIN_FAILED", "a plug-in's component failed", {
      where: `${path}:${position}`,
      found: `${error.name}: ${error.message}`.replaceAll(/\s*\n\s*/g, " "),
      advice: "--debug, which shows the stack trace",
      cause: error,
    });
  }
  return null;
}
