import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { SegfuseError } from "../errors.ts";

/** File name endings of images that are looked for where a config names none. */
export const imageSuffixes: readonly string[] = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"];

/** @throws SegfuseError SEGFUSE_DATA_ROOT where `folder` is no folder */
export async function requireFolder(folder: string, what: string, advice?: string): Promise<void> {
  const status = await stat(folder).catch(() => null);
  if (status?.isDirectory() === true) return;
  throw new SegfuseError("SEGFUSE_DATA_ROOT", `${what} does not exist`, {
    where: folder === "" ? "(an empty path)" : folder,
    ...(status === null ? {} : { found: "a file" }),
    ...(advice === undefined ? {} : { advice }),
  });
}

/**
 * Files below `folder` that end in one of `suffixes`, by stem: the path inside the folder with `/`, without the
 * suffix. The order of a Map is that of the stems' code units, on every machine.
 *
 * @throws SegfuseError SEGFUSE_DATA_FILE where two files have one stem
 */
export async function filesByStem(folder: string, suffixes: readonly string[]): Promise<Map<string, string>> {
  const longestFirst = [...suffixes].sort((a, b) => b.length - a.length);
  const found = new Map<string, string>();
  for (const path of await readdir(folder, { recursive: true })) {
    const name = path.split(sep).join("/");
    const suffix = longestFirst.find((s) => name.toLowerCase().endsWith(s.toLowerCase()));
    if (suffix === undefined || /(^|\/)\./.test(name)) continue;
    const stem = name.slice(0, name.length - suffix.length);
    const other = found.get(stem);
    if (other !== undefined)
      throw new SegfuseError("SEGFUSE_DATA_FILE", "two files have the same name but for their ending", {
        where: join(folder, path),
        found: other,
      });
    found.set(stem, join(folder, path));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The lines of a list file (`train.txt`), blank lines left out.
 *
 * @throws SegfuseError SEGFUSE_DATA_SPLIT where there is no such file, or it names a sample twice
 */
export async function readList(file: string): Promise<string[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new SegfuseError("SEGFUSE_DATA_SPLIT", "the list of a split is missing", { where: file, cause });
  });
  const lines = new Map<string, number>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const name = line.trim();
    if (name === "") continue;
    const before = lines.get(name);
    if (before !== undefined)
      throw new SegfuseError("SEGFUSE_DATA_SPLIT", "a list names a sample twice", {
        where: `${file}:${i + 1}`,
        found: `${name}, as in line ${before}`,
        advice: "take one of them out: it would count twice in training and in metrics",
      });
    lines.set(name, i + 1);
  }
  return [...lines.keys()];
}

/** The split's samples: names that have an image and a mask. Every missing partner is an error. */
export function pairUp(
  images: ReadonlyMap<string, string>,
  masks: ReadonlyMap<string, string>,
  where: { images: string; masks: string },
): { id: string; image: string; label: string }[] {
  const withoutMask = [...images.keys()].filter((stem) => !masks.has(stem));
  if (withoutMask.length > 0)
    throw missing("an image has no mask", images.get(withoutMask[0]!)!, where.masks, withoutMask);
  const withoutImage = [...masks.keys()].filter((stem) => !images.has(stem));
  if (withoutImage.length > 0)
    throw missing("a mask has no image", masks.get(withoutImage[0]!)!, where.images, withoutImage);
  return [...images].map(([id, image]) => ({ id, image, label: masks.get(id)! }));
}

/** The listed names alone. A listed name without a file is an error. */
export function pickListed(
  listed: readonly string[],
  files: ReadonlyMap<string, string>,
  { list, folder, what }: { list: string; folder: string; what: string },
): Map<string, string> {
  const absent = listed.filter((stem) => !files.has(stem));
  if (absent.length > 0)
    throw missing(`a listed sample has no ${what}`, `${list} (${absent[0]!})`, folder, absent);
  return new Map(listed.map((stem) => [stem, files.get(stem)!]));
}

/** @throws SegfuseError SEGFUSE_DATA_SPLIT where a split has no sample */
export function requireSamples<T>(pairs: readonly T[], split: string, where: string): readonly T[] {
  if (pairs.length > 0) return pairs;
  throw new SegfuseError("SEGFUSE_DATA_SPLIT", `split "${split}" has no samples`, { where });
}

function missing(message: string, where: string, folder: string, stems: readonly string[]): SegfuseError {
  const more = stems.length === 1 ? "" : ` (and ${stems.length - 1} more)`;
  return new SegfuseError("SEGFUSE_DATA_FILE", message, {
    where,
    expected: `a file for "${stems[0]}" in ${folder}`,
    found: `none${more}`,
  });
}
