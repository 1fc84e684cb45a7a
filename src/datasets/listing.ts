import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { SegfuseError } from "../errors.ts";
import { counted, nameKey, pathInside, suffixOf, withoutSuffix } from "./file_names.ts";
import { filesBelow } from "./folder_walk.ts";
import { jpegMask } from "./mask_file.ts";

/** File name endings of images that are looked for where a config names none. */
export const imageSuffixes: readonly string[] = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"];

/** A sample's two files. */
export interface Pair {
  readonly id: string;
  readonly image: string;
  readonly label: string;
}

/** Where images or masks lie, and how their files end. */
export interface Side {
  readonly folder: string;
  readonly suffixes: readonly string[];
}

/** Where the images and masks of a split lie. */
export interface Sides {
  readonly images: Side;
  readonly masks: Side;
}

export type SideName = keyof Sides;

/**
 * What a file is by its folder and its ending; null where it is neither an image nor a mask. Of two folders, one in the
 * other, the inner one's files are its own alone. In a common folder the longer ending decides, so that `x_mask.png` is
 * no image, and a file that could be both is a mask: beside `x.jpg`, `x.png` is one.
 */
export function sideOf(path: string, { images, masks }: Sides): { side: SideName; stem: string } | null {
  const asImage = nameIn(path, images);
  const asMask = nameIn(path, masks);
  const inBoth = asImage !== null && asMask !== null;
  const [image, mask] =
    !inBoth || images.folder === masks.folder
      ? [asImage, asMask]
      : asImage.length < asMask.length
        ? [asImage, null]
        : [null, asMask];
  const imageSuffix = image === null ? null : suffixOf(image, images.suffixes);
  const maskSuffix = mask === null ? null : suffixOf(mask, masks.suffixes);
  if (maskSuffix !== null && maskSuffix.length >= (imageSuffix?.length ?? 0))
    return { side: "masks", stem: withoutSuffix(mask!, maskSuffix) };
  return imageSuffix === null ? null : { side: "images", stem: withoutSuffix(image!, imageSuffix) };
}

const nameIn = (path: string, { folder }: Side) => pathInside(folder, path);

/**
 * The images or masks of a split by stem: the path inside the folder with `/` in NFC, without the suffix. The order of
 * a Map is that of the stems' code units, on every machine. Empty where there is no such folder.
 *
 * @throws SegfuseError SEGFUSE_DATA_FILE where two files have one stem, and of {@link filesBelow}
 */
export async function filesByStem(sides: Sides, side: SideName): Promise<Map<string, string>> {
  const { folder } = sides[side];
  const found = new Map<string, string>();
  if (!(await isFolder(folder))) return found;
  const isWanted = (path: string) => sideOf(join(folder, path), sides)?.side === side;
  for (const name of await filesBelow(folder, isWanted)) {
    const path = join(folder, name);
    const { stem } = sideOf(path, sides)!;
    const other = found.get(stem);
    if (other !== undefined) throw sameName(path, other);
    found.set(stem, path);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sameName(path: string, other: string): SegfuseError {
  return nameKey(path) === nameKey(other)
    ? new SegfuseError("SEGFUSE_DATA_FILE", "two files have the same name in two Unicode normal forms", {
        where: path,
        found: "the name in NFC (as Linux and Windows write it) and in NFD (as macOS does)",
        advice: "remove one of the two",
      })
    : new SegfuseError("SEGFUSE_DATA_FILE", "two files have the same name but for their ending", {
        where: path,
        found: other,
      });
}

/**
 * The split's samples: names that have an image and a mask. Every missing partner is an error.
 *
 * @param masks by stem; default: all of the masks' side
 * @throws SegfuseError SEGFUSE_DATA_FILE, or SEGFUSE_DATA_UNLABELLED where there is no mask at all
 */
export async function pairUp(
  sides: Sides,
  split: string,
  masks?: ReadonlyMap<string, string>,
): Promise<Pair[]> {
  const images = await filesByStem(sides, "images");
  masks ??= await filesByStem(sides, "masks");
  if (images.size === 0) return [];
  const [first] = images.keys();
  if (masks.size === 0 && (await similarFile(sides, "masks", first!)) === null)
    throw await unlabelled(sides, split, images.size);
  const withoutMask = [...images.keys()].filter((stem) => !masks.has(stem));
  if (withoutMask.length > 0)
    throw await missing("an image has no mask", images.get(withoutMask[0]!)!, sides, "masks", withoutMask);
  const withoutImage = [...masks.keys()].filter((stem) => !images.has(stem));
  if (withoutImage.length > 0)
    throw await missing("a mask has no image", masks.get(withoutImage[0]!)!, sides, "images", withoutImage);
  return [...images].map(([id, image]) => ({ id, image, label: masks.get(id)! }));
}

/**
 * SEGFUSE_DATA_FILE: samples that have no file in a folder. Says which similar name there is; a mask that is there as a
 * JPEG, which is never listed as one, is SEGFUSE_DATA_MASK.
 */
export async function missing(
  message: string,
  where: string,
  sides: Sides,
  side: SideName,
  stems: readonly string[],
): Promise<SegfuseError> {
  const more = stems.length === 1 ? "" : ` (and ${stems.length - 1} more)`;
  const similar = await similarFile(sides, side, stems[0]!);
  if (side === "masks" && similar !== null && /\.jpe?g$/i.test(similar))
    return jpegMask(join(sides.masks.folder, similar));
  return new SegfuseError("SEGFUSE_DATA_FILE", message, {
    where,
    expected: `a file for "${stems[0]}" in ${sides[side].folder}`,
    found: `none${more}${similar === null ? "" : `; there is "${similar}"`}`,
  });
}

/** A file of a side's folder whose name differs by case, or goes on behind the stem: `s1_mask.png`, `s1.bmp`. */
export async function similarFile(sides: Sides, side: SideName, stem: string): Promise<string | null> {
  const { folder } = sides[side];
  const wanted = nameKey(stem).toLowerCase();
  const isSimilar = (path: string) => {
    const name = nameKey(path).toLowerCase();
    if (!name.startsWith(wanted) || /^[\p{L}\p{N}]/u.test(name.slice(wanted.length))) return false;
    return (sideOf(join(folder, path), sides)?.side ?? side) === side; // not the image itself in a common folder
  };
  const files = await filesBelow(folder, isSimilar).catch(() => []);
  return files.sort()[0] ?? null;
}

/** SEGFUSE_DATA_UNLABELLED: images and no mask at all, as the test splits of benchmarks are handed out. */
export async function unlabelled(sides: Sides, split: string, count: number): Promise<SegfuseError> {
  const { images, masks } = sides;
  const others = await otherFiles(sides, "masks");
  return new SegfuseError(
    "SEGFUSE_DATA_UNLABELLED",
    `split "${split}" has ${counted(count, "image")} and no masks: there is nothing to compare with`,
    {
      where: masks.folder,
      expected: `masks that end in ${masks.suffixes.join(", ")}`,
      found: (await isFolder(masks.folder)) ? (others ?? "none of these images") : "no such folder",
      advice: `segfuse predict CONFIG CHECKPOINT ${images.folder}/* --out FOLDER, which needs no masks`,
    },
  );
}

/** @throws SegfuseError SEGFUSE_DATA_SPLIT where a split has no sample */
export async function requireSamples<T>(
  pairs: readonly T[],
  split: string,
  where: string | Sides,
): Promise<readonly T[]> {
  if (pairs.length > 0) return pairs;
  const message = `split "${split}" has no samples`;
  if (typeof where === "string") throw new SegfuseError("SEGFUSE_DATA_SPLIT", message, { where });
  const { images, masks } = where;
  const others = await otherFiles(where, "images");
  const inOne = images.folder === masks.folder && (await filesByStem(where, "masks")).size > 0;
  throw new SegfuseError("SEGFUSE_DATA_SPLIT", message, {
    where: images.folder,
    ...(others === null
      ? {}
      : { expected: `images that end in ${images.suffixes.join(", ")}`, found: others }),
    ...(inOne
      ? { advice: "masks beside their images need an ending of their own: mask_suffixes: [_mask.png]" }
      : {}),
  });
}

/** Files of a side's folder that are not what they are looked for as, by their endings; null where there are none. */
async function otherFiles(sides: Sides, side: SideName): Promise<string | null> {
  const { folder } = sides[side];
  const counts = new Map<string, number>();
  const isOther = (path: string) => sideOf(join(folder, path), sides) === null;
  for (const path of await filesBelow(folder, isOther).catch(() => [])) {
    const ending = extname(path);
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  const parts = most.map(([ending, count]) => `${counted(count, `${ending} file`.trim())}`);
  return parts.length === 0 ? null : parts.join(", ");
}

/**
 * A folder's path as the disk has it: where its name is there in another Unicode normal form, that one.
 *
 * @param root where given, and the folder lies in it, the error says which folders there are instead
 * @throws SegfuseError SEGFUSE_DATA_ROOT where `folder` is no folder
 */
export async function requireFolder(
  folder: string,
  what: string,
  { advice, root }: { advice?: string; root?: string } = {},
): Promise<string> {
  const path = await onDisk(folder);
  const status = await stat(path).catch(() => null);
  if (status?.isDirectory() === true) return path;
  const beside = root === undefined || status !== null ? null : await foldersBeside(folder, root);
  const found = status === null ? beside : "a file";
  throw new SegfuseError("SEGFUSE_DATA_ROOT", `${what} does not exist`, {
    where: folder === "" ? "(an empty path)" : folder,
    ...(found === null ? {} : { found }),
    ...(advice === undefined ? {} : { advice }),
  });
}

/** The same path, or the one that there is in another Unicode normal form. */
export async function onDisk(path: string): Promise<string> {
  const above = dirname(path);
  if (above === path || (await exists(path))) return path;
  const parent = await onDisk(above);
  const wanted = nameKey(basename(path));
  const names = await readdir(parent).catch(() => []);
  return join(parent, names.find((name) => nameKey(name) === wanted) ?? basename(path));
}

async function foldersBeside(folder: string, root: string): Promise<string | null> {
  const parent = dirname(folder);
  if (folder === root || pathInside(root, parent) === null) return null;
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => !entry.isFile() && !entry.name.startsWith("."))
    .map(({ name }) => name);
  if (names.length === 0) return null;
  const shown = names.sort().slice(0, 6).join(", ");
  return `in ${parent}: ${shown}${names.length > 6 ? ", …" : ""}`;
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
