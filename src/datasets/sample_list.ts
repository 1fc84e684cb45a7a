import { readdir } from "node:fs/promises";
import { dirname, isAbsolute, join, posix, relative, resolve } from "node:path";
import { SegfuseError } from "../errors.ts";
import { nameKey, pathInside, suffixOf, withoutSuffix } from "./file_names.ts";
import {
  filesByStem,
  isFolder,
  missing,
  requireFolder,
  sideOf,
  similarFile,
  unlabelled,
  type Pair,
  type SideName,
  type Sides,
} from "./listing.ts";
import { readLines, type TextLine } from "./text_lines.ts";

export interface ListedInputs {
  /** The list file. */
  readonly list: string;
  /** What paths in the list may begin at, beside the list's own folder. */
  readonly root: string;
  readonly sides: Sides;
  readonly split: string;
  /** True: a sample that is listed n times is n samples; undefined: it cannot be, and nobody is told of it. */
  readonly oversample?: boolean;
}

/**
 * The samples that a list names, in its order. A line is a sample's name, with its ending or without, or a path from
 * the images' or masks' folder, from the root, from the list's folder, or absolute; a second column, behind a space, a
 * tab, a comma, a semicolon or a bar, is the mask in any of these forms. Nothing outside of the root and the two folders is
 * ever named.
 *
 * @throws SegfuseError SEGFUSE_DATA_SPLIT where the list cannot be read or names a sample twice, SEGFUSE_DATA_FILE where
 *   a file is missing, SEGFUSE_DATA_UNLABELLED where no image has a mask
 */
export async function listedPairs(inputs: ListedInputs): Promise<Pair[]> {
  const { list, sides, split, oversample } = inputs;
  const lines = await readLines(list);
  const finder = await SampleFinder.open(inputs);
  const found: { line: TextLine; sample: Found }[] = [];
  for (const line of lines) found.push({ line, sample: await finder.find(line.text) });
  if (oversample !== true) refuseRepeats(found, inputs);

  const without = (side: "image" | "label") => found.filter(({ sample }) => sample[side] === null);
  const complain = async (what: string, side: SideName, lacking: typeof found) => {
    const names = lacking.map(({ sample, line }) => sample.name ?? line.text);
    return missing(
      `a listed sample has no ${what}`,
      `${list} (${lacking[0]!.line.text})`,
      sides,
      side,
      names,
    );
  };
  const noImage = without("image");
  if (noImage.length > 0) {
    // A list of whole paths needs no folder of images.
    if (!noImage[0]!.line.text.includes("/"))
      await requireFolder(sides.images.folder, "a folder of the data set", { root: inputs.root });
    throw await complain("image", "images", noImage);
  }
  const noMask = without("label");
  const wholly = noMask.length > 0 && noMask.length === found.length;
  if (wholly && noMask.every(({ sample }) => sample.name === undefined)) {
    const similar = await similarFile(sides, "masks", noMask[0]!.sample.id);
    if (similar === null) throw await unlabelled(sides, split, found.length);
  }
  if (noMask.length > 0) throw await complain("mask", "masks", noMask);
  return found.map(({ sample: { id, image, label } }) => ({ id, image: image!, label: label! }));
}

/** What a line names; null where there is no such file. */
interface Found {
  readonly id: string;
  readonly image: string | null;
  readonly label: string | null;
  /** How the line calls the file that there is not, where that is not the whole line. */
  readonly name?: string;
}

function refuseRepeats(
  found: readonly { line: TextLine; sample: Found }[],
  { list, oversample }: ListedInputs,
): void {
  const orElse = oversample === undefined ? "" : "; oversample: true, where that is meant";
  const before = new Map<string, TextLine>();
  for (const { line, sample } of found) {
    const key = sample.image ?? line.text;
    const first = before.get(key);
    if (first !== undefined)
      throw new SegfuseError("SEGFUSE_DATA_SPLIT", "a list names a sample twice", {
        where: `${list}:${line.number}`,
        found: `${line.text}, ${first.text === line.text ? "as" : `the same as ${first.text}`} in line ${first.number}`,
        advice: `take one of them out: it would count twice in training and in metrics${orElse}`,
      });
    before.set(key, line);
  }
}

/** Looks up what lines of a list name. */
class SampleFinder {
  static async open({ list, root, sides }: ListedInputs): Promise<SampleFinder> {
    const files = { images: await filesByStem(sides, "images"), masks: await filesByStem(sides, "masks") };
    return new SampleFinder(sides, files, { root, list: dirname(list) });
  }

  private readonly suffixes: readonly string[];
  /** Outside of these, lists name nothing. */
  private readonly disks: readonly Disk[];

  private constructor(
    private readonly sides: Sides,
    private readonly files: Readonly<Record<SideName, ReadonlyMap<string, string>>>,
    private readonly bases: { readonly root: string; readonly list: string },
  ) {
    this.suffixes = [...sides.images.suffixes, ...sides.masks.suffixes];
    this.disks = [bases.root, sides.images.folder, sides.masks.folder].map((folder) => new Disk(folder));
  }

  async find(text: string): Promise<Found> {
    const sample = (await this.asOne(text, "here")) ?? (await this.asTwo(text, "here"));
    if (sample !== null) return sample;
    // Absolute paths of the machine that the list was made on.
    const moved = (await this.asTwo(text, "elsewhere")) ?? (await this.asOne(text, "elsewhere"));
    return moved ?? (await this.asHalf(text)) ?? { id: text, image: null, label: null };
  }

  /** The whole line as a sample's name or as the path of its image or mask. */
  private async asOne(text: string, where: Where): Promise<Found | null> {
    // The end of a second column is no name of the first.
    if (where === "elsewhere" && /\.\w+[\s,;|]|[\s,;|]([a-z]:)?[\\/]/i.test(text)) return null;
    for (const side of ["images", "masks"] as const) {
      const path = await this.file(side, text, where);
      if (path === null) continue;
      const stem = sideOf(path, this.sides)?.stem;
      const partner = (other: SideName) =>
        stem === undefined ? null : (this.files[other].get(stem) ?? null);
      const image = side === "images" ? path : partner("images");
      if (image !== null) return { id: this.idOf(image), image, label: partner("masks") };
    }
    return null;
  }

  /** The line as an image and its mask. */
  private async asTwo(text: string, where: Where): Promise<Found | null> {
    for (const [left, right] of columnsOf(text)) {
      const image = await this.file("images", left, where);
      const label = image === null ? null : await this.file("masks", right, where);
      if (image !== null && label !== null) return { id: this.idOf(image), image, label };
    }
    return null;
  }

  /** For the error's text: an image with what is no mask behind it, or a mask with what is no image before it. */
  private async asHalf(text: string): Promise<Found | null> {
    for (const [left, right] of columnsOf(text)) {
      const image = await this.file("images", left, "here");
      if (image !== null) return { id: this.idOf(image), image, label: null, name: right };
      const label = await this.file("masks", right, "here");
      if (label !== null) return { id: left, image: null, label, name: left };
    }
    return null;
  }

  private async file(side: SideName, text: string, where: Where): Promise<string | null> {
    for (const spelled of text.includes("\\") ? [text, text.replaceAll("\\", "/")] : [text]) {
      if (where === "elsewhere") {
        const path = this.byTail(side, spelled);
        if (path !== null) return path;
        continue;
      }
      const path = this.byName(side, spelled) ?? (await this.byPath(side, spelled));
      if (path !== null) return path;
    }
    return null;
  }

  /** By stem, or by the path inside the side's folder. */
  private byName(side: SideName, text: string): string | null {
    const name = nameKey(posix.normalize(text));
    const suffix = suffixOf(name, this.suffixes);
    const files = this.files[side];
    return files.get(name) ?? (suffix === null ? null : (files.get(withoutSuffix(name, suffix)) ?? null));
  }

  /** By a path from the root or the list's folder, or an absolute one. */
  private async byPath(side: SideName, text: string): Promise<string | null> {
    const { root, list } = this.bases;
    const paths = isAbsolute(text) ? [text, join(root, text)] : [resolve(root, text), resolve(list, text)];
    for (const path of paths) {
      const placed = sideOf(path, this.sides);
      if (placed !== null) {
        const listed = placed.side === side ? this.files[side].get(placed.stem) : undefined;
        if (listed !== undefined) return listed;
        continue;
      }
      for (const disk of this.disks) {
        const found = await disk.find(path);
        // The folder may have been named in another Unicode normal form.
        const itsSide = found === null ? null : sideOf(found, this.sides);
        if (found !== null && (itsSide === null || itsSide.side === side)) return found;
      }
    }
    return null;
  }

  /** An absolute path's longest end that names a file of the side's folder. */
  private byTail(side: SideName, text: string): string | null {
    if (!/^(\/|[a-z]:\/)/i.test(text)) return null;
    const parts = text.split("/");
    for (let k = 1; k < parts.length; k++) {
      const path = this.byName(side, parts.slice(k).join("/"));
      if (path !== null) return path;
    }
    return null;
  }

  /** The stem; of a file outside of the images' folder its path in the root without the ending. */
  private idOf(image: string): string {
    const stem = sideOf(image, this.sides)?.stem;
    return stem ?? nameKey(relative(this.bases.root, image)).replace(/\.[^./]+$/, "");
  }
}

/** Whether paths are meant for this machine, or only their ends are. */
type Where = "here" | "elsewhere";

/** Every way to read a line as two columns. */
function* columnsOf(text: string): Generator<[left: string, right: string]> {
  for (const { index, 0: separator } of text.matchAll(/\s*[\t,;|]\s*|\s+/g)) {
    const [left, right] = [text.slice(0, index), text.slice(index + separator.length)];
    if (left !== "" && right !== "") yield [left, right];
  }
}

/** The files below a folder, looked up name by name in any Unicode normal form; what was read is kept. */
class Disk {
  private readonly folders = new Map<string, Promise<ReadonlyMap<string, string>>>();

  constructor(private readonly folder: string) {}

  /** The file's path as the disk has it; null where there is none, or it is not below the folder. */
  async find(path: string): Promise<string | null> {
    const inner = pathInside(this.folder, path);
    if (inner === null || inner === "") return null;
    let at = this.folder;
    for (const part of inner.split("/")) {
      const name = (await this.namesIn(at)).get(nameKey(part));
      if (name === undefined) return null;
      at = join(at, name);
    }
    return (await isFolder(at)) ? null : at;
  }

  private namesIn(folder: string): Promise<ReadonlyMap<string, string>> {
    let names = this.folders.get(folder);
    if (names === undefined) {
      names = readdir(folder).then(
        (all) => new Map(all.map((name) => [nameKey(name), name])),
        () => new Map<string, string>(),
      );
      this.folders.set(folder, names);
    }
    return names;
  }
}
