import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Type } from "typebox";
import { SegfuseError } from "../errors.ts";
import { defineDataset } from "./contracts.ts";
import { pathOption } from "../registry/component_ref.ts";
import { bandsOption, fileFormat } from "./bands_option.ts";
import { exifOption } from "./exif_option.ts";
import { FileDataset } from "./file_dataset.ts";
import { labelMapAdvice, maskLabels, maskOptions } from "./file_options.ts";
import { LabelTable, storedValues } from "./label_table.ts";
import { imageSuffixes, onDisk, requireFolder, requireSamples } from "./listing.ts";
import { listedPairs } from "./sample_list.ts";
import { maskSuffixes } from "./mask_file.ts";

/** What is needed of `meta.json`; whatever else it holds is left alone. */
interface Meta {
  readonly classes: readonly string[];
  readonly palette: readonly (readonly [number, number, number])[];
  readonly ignore_index: number;
}

/** CamVid (Brostow et al. 2009) in the split of SegNet (Badrinarayanan et al. 2017): 11 classes, 367/101/233 frames. */
export default defineDataset({
  type: "camvid",
  description:
    "CamVid: images/SPLIT, masks/SPLIT, SPLIT.txt, and meta.json with classes, palette and ignore_index",
  schema: Type.Object({
    root: pathOption({ description: "the folder that holds images, masks, the lists and meta.json" }),
    ...maskOptions,
    exif: exifOption,
    bands: bandsOption,
  }),
  exif: ({ exif }) => exif,
  ignoredAdvice: ({ label_map }, { ignoreIndex }, absent) => labelMapAdvice(label_map, ignoreIndex, absent),
  async create({ root, ...options }, { split, image }) {
    const advice = "set SEGFUSE_CAMVID (or data.dataset.root) to it";
    const folder = await requireFolder(root, "the CamVid folder", { advice });
    const { classes, palette, ignore_index: ignoreIndex } = await readMeta(join(folder, "meta.json"));
    const list = join(folder, `${split}.txt`);
    const images = await requireFolder(join(folder, "images", split), `a folder of split "${split}"`, {
      root: folder,
    });
    const sides = {
      images: { folder: images, suffixes: imageSuffixes },
      masks: { folder: await onDisk(join(folder, "masks", split)), suffixes: maskSuffixes },
    };
    const info = { classes, palette, ignoreIndex };
    const plain = LabelTable.plain(classes.length, ignoreIndex);
    const table = maskLabels(
      plain,
      options,
      info,
      palette.map((color, k) => [color, k] as const),
    );
    const listed = await listedPairs({ list, root: folder, sides, split });
    const pairs = listed.map((pair) => ({ ...pair, table }));
    return new FileDataset(
      info,
      await requireSamples(pairs, split, list),
      options.exif,
      fileFormat(image, options.bands),
    );
  },
});

async function readMeta(file: string): Promise<Meta> {
  const wrong = (found: string, cause?: unknown) =>
    new SegfuseError("SEGFUSE_DATA_ROOT", "the class description of CamVid is missing or wrong", {
      where: file,
      expected: "JSON with classes, as many palette colours, and an ignore_index that is no class",
      found,
      cause,
    });
  let meta: unknown;
  try {
    meta = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw wrong(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (!isMeta(meta)) throw wrong("JSON of another shape");
  if (meta.palette.length !== meta.classes.length)
    throw wrong(`${meta.classes.length} classes and ${meta.palette.length} colours`);
  if (meta.ignore_index < meta.classes.length)
    throw wrong(`ignore_index ${meta.ignore_index}, which is a class`);
  return meta;
}

/** Checked by hand: TypeBox's checker would double the time that a worker takes to start. */
function isMeta(value: unknown): value is Meta {
  const { classes, palette, ignore_index } = (value ?? {}) as Record<keyof Meta, unknown>;
  const isByte = (v: unknown) => Number.isInteger(v) && (v as number) >= 0 && (v as number) <= 255;
  const isColor = (c: unknown) => Array.isArray(c) && c.length === 3 && c.every(isByte);
  return (
    Array.isArray(classes) &&
    classes.length > 0 &&
    classes.every((name) => typeof name === "string") &&
    Array.isArray(palette) &&
    palette.every(isColor) &&
    Number.isInteger(ignore_index) &&
    (ignore_index as number) >= 0 &&
    (ignore_index as number) < storedValues
  );
}
