import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** The text files of a checkpoint folder that name a checkpoint. */
export type Pointer = "last" | "best";

/** What a checkpoint's name ends in while another one takes its place. */
export const oldSuffix = ".old";

/** Name of the checkpoint after so many updates. */
export function checkpointName(iteration: number): string {
  return `iter_${iteration}`;
}

/** The iteration of a checkpoint's name; null for another name. */
export function iterationOf(name: string): number | null {
  const digits = /^iter_(\d+)$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The name that `last` or `best` holds; null where there is no such file. */
export async function readPointer(folder: string, pointer: Pointer): Promise<string | null> {
  const text = await readFile(join(folder, pointer), "utf8").catch(() => null);
  return text === null ? null : basename(text.trim());
}
