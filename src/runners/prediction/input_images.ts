import { readdir, realpath, stat } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import { imageSuffixes } from "../../datasets/listing.ts";
import { SegfuseError } from "../../errors.ts";
import type { Logger } from "../../util/logger.ts";
import { isPathGlob, pathGlob } from "../../util/path_glob.ts";

/** An image that is to be predicted. */
export interface InputImage {
  /** The file, as it was named. */
  readonly file: string;
  /** What its results are called: a path inside the output folder, without ending. */
  readonly name: string;
}

/** Endings of the files that are taken of a folder; a file that is named itself may have any. */
const suffixes: readonly string[] = [...imageSuffixes, ".gif"];

/**
 * The images that files, folders and patterns stand for, each once, in the order in which they were named.
 *
 * A folder stands for the images in it and in its folders (links are followed, what begins with a dot is left out); their
 * results keep its folders. So do those of a pattern ({@link pathGlob}), which counts as one only where there is no file
 * of that name. A file that is not there is an image like others: reading it fails.
 *
 * @param outDir where the results go, null for nowhere: it may lie in a folder of images, and is not read then
 * @throws SegfuseError `SEGFUSE_PREDICT_IMAGES` where a folder or a pattern has no image, two images have the same name, or
 *   a result would overwrite an image
 */
export async function inputImages(
  inputs: readonly string[],
  outDir: string | null,
  logger: Logger,
): Promise<InputImage[]> {
  const images = new Map<string, InputImage>();
  for (const input of inputs) {
    for (const image of await expand(input, outDir, logger)) {
      const path = resolve(image.file);
      if (!images.has(path)) images.set(path, image);
    }
  }
  const list = [...images.values()];
  if (outDir !== null) checkNames(list, outDir);
  return list;
}

/** The results of an image in the output folder. */
export function resultPaths({ name }: InputImage, outDir: string): { overlay: string; classes: string } {
  return { overlay: join(outDir, `${name}_overlay.png`), classes: join(outDir, `${name}_classes.png`) };
}

async function expand(input: string, outDir: string | null, logger: Logger): Promise<InputImage[]> {
  const status = await stat(input).catch(() => null);
  if (status?.isDirectory() === true) {
    const { images, others } = await imagesBelow(input, outDir, logger);
    if (images.length === 0) throw noImages(input, "a folder", others);
    return images.map((path) => ({ file: join(input, path), name: withoutSuffix(path) }));
  }
  if (status === null && isPathGlob(input)) {
    const { base, files } = await pathGlob(input);
    // `*` finds notes and lists as well; a pattern that finds no image by its name was meant as it is.
    const images = files.filter(isImage);
    const taken = images.length > 0 ? images : files;
    if (taken.length === 0) throw noImages(input, "a pattern", []);
    return taken.map((path) => ({ file: join(base, path), name: withoutSuffix(path) }));
  }
  return [{ file: input, name: basename(input, extname(input)) }];
}

/** Images below a folder, and what else is there: paths inside it, with `/`, in the order of their code units. */
async function imagesBelow(
  root: string,
  outDir: string | null,
  logger: Logger,
): Promise<{ images: string[]; others: string[] }> {
  const files: string[] = [];
  const results = outDir === null ? null : await realpath(outDir).catch(() => null);
  // Links may lead round in a circle.
  const read = new Set<string>();
  const visit = async (inside: string): Promise<void> => {
    const folder = join(root, inside);
    const real = await realpath(folder);
    if (inside !== "" && real === results) return;
    if (read.has(real)) {
      logger.warn(`${folder} is left out: it leads to ${real}, which was read already`);
      return;
    }
    read.add(real);
    for (const name of (await readFolder(folder)).sort()) {
      if (name.startsWith(".")) continue;
      const path = inside === "" ? name : `${inside}/${name}`;
      const status = await stat(join(root, path)).catch(() => null);
      if (status?.isDirectory() === true) await visit(path);
      // A link to nothing is told when it is read; a pipe or a device would never end.
      else if (status === null || status.isFile()) files.push(path);
    }
  };
  await visit("");
  files.sort((a, b) => (a < b ? -1 : 1));
  return { images: files.filter(isImage), others: files.filter((path) => !isImage(path)) };
}

async function readFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new SegfuseError("SEGFUSE_PREDICT_IMAGES", "a folder of images cannot be read", {
      where: folder,
      found: (cause as Error).message,
      cause,
    });
  }
}

function isImage(path: string): boolean {
  return suffixes.includes(extname(path).toLowerCase());
}

function withoutSuffix(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

function noImages(where: string, what: string, others: readonly string[]): SegfuseError {
  const more = others.length > 3 ? ` and ${others.length - 3} more` : "";
  return new SegfuseError("SEGFUSE_PREDICT_IMAGES", `${what} has no image`, {
    where,
    expected: `a file that ends in one of ${suffixes.join(", ")}`,
    found: others.length === 0 ? "none" : `${others.slice(0, 3).join(", ")}${more}`,
    ...(others.length === 0 ? {} : { advice: "name files of another ending one by one" }),
  });
}

/** Nothing may be lost: neither a result to another, nor an image to a result. */
function checkNames(images: readonly InputImage[], outDir: string): void {
  const first = new Map<string, string>();
  for (const { file, name } of images) {
    const other = first.get(name);
    if (other !== undefined)
      throw new SegfuseError("SEGFUSE_PREDICT_IMAGES", "two images have the same name", {
        where: file,
        found: `${other} as well`,
        advice:
          "predict them into different folders; or name the folder above both: the results keep its folders",
      });
    first.set(name, file);
  }
  const inputs = new Set(images.map(({ file }) => resolve(file)));
  for (const image of images) {
    const lost = Object.values(resultPaths(image, outDir)).find((path) => inputs.has(resolve(path)));
    if (lost !== undefined)
      throw new SegfuseError("SEGFUSE_PREDICT_IMAGES", "a result would overwrite an image", {
        where: lost,
        found: `the result of ${image.file}`,
        advice: "another output folder",
      });
  }
}
