import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { RuleFinding } from "../registry/record.ts";
import { SegfuseError } from "../errors.ts";
import { nameKey, pathInside } from "./file_names.ts";
import { onDisk, pairUp, requireFolder, requireSamples, type Pair, type Sides } from "./listing.ts";
import { listedPairs } from "./sample_list.ts";

/** The options of data set `folder` that say where files are. */
export interface FolderLayout {
  readonly root: string | readonly string[];
  /** Folder patterns, in which `{split}` stands for the split's name. */
  readonly images: string;
  readonly masks: string;
  readonly splits: "folders" | "lists";
  /** The pattern of the splits' lists; null: `{split}.txt` where splits are lists, else none. */
  readonly list: string | null;
  readonly oversample: boolean;
  readonly image_suffixes: readonly string[];
  readonly mask_suffixes: readonly string[];
}

const placeholder = "{split}";

/**
 * The samples of a split, root by root. With one root a sample's id is its name; with several, the root's path from
 * the folder that they have in common stands before it.
 *
 * @throws SegfuseError SEGFUSE_DATA_… of whatever does not lie as the options say
 */
export async function folderPairs(layout: FolderLayout, split: string): Promise<readonly Pair[]> {
  const roots = [layout.root].flat();
  const common = roots.reduce((a, b) => commonFolder(a, b));
  const places = await Promise.all(roots.map((root) => placesIn(root, layout, split)));
  const pairs: Pair[] = [];
  for (const [i, { root, list, sides }] of places.entries()) {
    const { oversample } = layout;
    const found =
      list === null
        ? await pairUp(sides, split)
        : await listedPairs({ list, root, sides, split, oversample });
    const prefix = nameKey(relative(common, roots[i]!));
    for (const pair of found) pairs.push(prefix === "" ? pair : { ...pair, id: `${prefix}/${pair.id}` });
  }
  if (!layout.oversample && roots.length > 1) refuseShared(pairs);
  const { list, sides } = places[0]!;
  return requireSamples(pairs, split, list ?? sides);
}

/** Where a split lies in one root. */
async function placesIn(
  wanted: string,
  layout: FolderLayout,
  split: string,
): Promise<{ root: string; list: string | null; sides: Sides }> {
  const root = await requireFolder(wanted, "the data set's folder", { advice: "correct data.dataset.root" });
  const list = layout.list ?? (layout.splits === "lists" ? `${placeholder}.txt` : null);
  const folderOf = (pattern: string) => {
    const ofSplit = list === null && !pattern.includes(placeholder) ? join(pattern, placeholder) : pattern;
    return onDisk(within(root, ofSplit.replaceAll(placeholder, split)));
  };
  const sides = {
    images: { folder: await folderOf(layout.images), suffixes: layout.image_suffixes },
    masks: { folder: await folderOf(layout.masks), suffixes: layout.mask_suffixes },
  };
  if (list !== null)
    return { root, list: await onDisk(within(root, list.replaceAll(placeholder, split))), sides };
  await requireFolder(sides.images.folder, `a folder of split "${split}"`, {
    root,
    ...([layout.root].flat().length === 1
      ? {}
      : { advice: "an empty folder there, where this root has nothing of the split" }),
  });
  return { root, list, sides };
}

/** A path in the root; an absolute one is itself, unless the root has it. */
function within(root: string, path: string): string {
  const inner = join(root, path);
  return isAbsolute(path) && !existsSync(inner) ? resolve(path) : inner;
}

function commonFolder(a: string, b: string): string {
  let folder = a;
  while (pathInside(folder, b) === null) folder = dirname(folder);
  return folder;
}

function refuseShared(pairs: readonly Pair[]): void {
  const seen = new Set<string>();
  for (const { image } of pairs) {
    if (seen.has(image))
      throw new SegfuseError("SEGFUSE_DATA_SPLIT", "two roots hold the same sample", {
        where: image,
        advice: "take one of the roots out; or oversample: true, where that is meant",
      });
    seen.add(image);
  }
}

/** What is wrong with the patterns themselves. */
export function* checkPatterns(
  layout: Pick<FolderLayout, "images" | "masks" | "list">,
): Iterable<RuleFinding> {
  for (const option of ["images", "masks", "list"] as const) {
    const unknown = layout[option]?.replaceAll(placeholder, "").match(/\{\w*\}/);
    if (unknown != null)
      yield {
        path: [option],
        message: `'${option}' has a placeholder that there is not`,
        expected: placeholder,
        found: unknown[0],
      };
  }
}
