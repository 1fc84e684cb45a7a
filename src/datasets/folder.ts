import { Type, type Static } from "typebox";
import { type DatasetInfo, defineDataset } from "./contracts.ts";
import { pathOption } from "../registry/component_ref.ts";
import { bandsOption, fileFormat } from "./bands_option.ts";
import { exifOption } from "./exif_option.ts";
import { FileDataset } from "./file_dataset.ts";
import { labelMapAdvice, labelMapFindings, maskLabels, maskOptions } from "./file_options.ts";
import { LabelTable } from "./label_table.ts";
import { checkPatterns, folderPairs } from "./folder_layout.ts";
import { imageSuffixes } from "./listing.ts";
import { maskSuffixes } from "./mask_file.ts";
import type { Rgb } from "./masks/raw_mask.ts";

const byte = Type.Integer({ minimum: 0, maximum: 255 });
const className = Type.String({ minLength: 1 });
const coloredClass = Type.Object({ name: className, color: Type.Tuple([byte, byte, byte]) });
const suffixes = (fallback: string[], description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { minItems: 1, default: fallback, description });

const schema = Type.Object({
  root: Type.Union(
    [
      pathOption({ description: "the folder that the other folders are in" }),
      Type.Array(pathOption({ description: "such a folder" }), { minItems: 1 }),
    ],
    { description: "the folder that the other folders are in; a list: several such folders, joined" },
  ),
  images: Type.String({
    default: "images",
    description:
      'folder of the images, inside root or absolute; "{split}/images": {split} is the split\'s name',
  }),
  masks: Type.String({
    default: "masks",
    description: "folder of the masks, as images; it may be the same folder",
  }),
  splits: Type.Union([Type.Literal("folders"), Type.Literal("lists")], {
    default: "folders",
    description:
      "folders: IMAGES/SPLIT and MASKS/SPLIT, where these have no {split}; lists: ROOT/SPLIT.txt names the files of IMAGES and MASKS",
  }),
  list: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
    default: null,
    description:
      'the file that lists a split\'s samples, inside root or absolute: "lists/{split}.txt"; null: as splits says',
  }),
  oversample: Type.Boolean({
    default: false,
    description: "true: a sample that is listed n times is seen n times an epoch; false: that is an error",
  }),
  image_suffixes: suffixes(
    [...imageSuffixes],
    "how image files end; what stands before is the sample's name",
  ),
  mask_suffixes: suffixes(
    [...maskSuffixes],
    "how mask files end; what stands before must be the image's name",
  ),
  classes: Type.Array(Type.Union([className, coloredClass]), {
    minItems: 1,
    maxItems: 65_535,
    description:
      "every class, in the order of its number: a name, or {name, color: [red, green, blue]}, by which colour masks are read",
  }),
  ignore_index: Type.Integer({
    minimum: 1,
    maximum: 65_535,
    default: 255,
    description:
      "the mask value of pixels that count nowhere; no class's number: 65535 for more than 255 classes",
  }),
  reduce_zero_label: Type.Boolean({
    default: false,
    description:
      "masks where 0 means other and class k is stored as k + 1 (ADE20K): 0 is ignored, the rest shifted",
  }),
  ...maskOptions,
  exif: exifOption,
  bands: bandsOption,
});

/** Images and masks in folders: ADE20K, one's own data. */
export default defineDataset({
  type: "folder",
  description: "images and masks in folders, split by subfolders or by lists",
  schema,
  info: describe,
  rules: [
    {
      code: "SEGFUSE_IGNORE_INDEX",
      *check({ classes, ignore_index }) {
        if (ignore_index >= classes.length) return;
        yield {
          path: ["ignore_index"],
          message: "ignore_index is the number of a class",
          expected: `a number from ${classes.length} to 65535, because the classes are 0..${classes.length - 1}`,
          found: String(ignore_index),
        };
      },
    },
    { check: checkPatterns },
    { check: ({ label_map, classes }) => labelMapFindings(label_map, classes.length) },
  ],
  exif: ({ exif }) => exif,
  ignoredAdvice: ({ label_map, reduce_zero_label }, { ignoreIndex }, absent) =>
    labelMapAdvice(label_map, reduce_zero_label ? 0 : ignoreIndex, absent),
  async create(options, { split, image }) {
    const info = describe(options);
    const plain = options.reduce_zero_label
      ? LabelTable.shifted(info.classes.length, info.ignoreIndex)
      : LabelTable.plain(info.classes.length, info.ignoreIndex);
    const table = maskLabels(plain, options, info, ownColors(options.classes));
    const pairs = (await folderPairs(options, split)).map((pair) => ({ ...pair, table }));
    return new FileDataset(info, pairs, options.exif, fileFormat(image, options.bands));
  },
});

function describe({ classes, ignore_index }: Static<typeof schema>): DatasetInfo {
  return {
    classes: classes.map((c) => (typeof c === "string" ? c : c.name)),
    palette: classes.map((c, k) => (typeof c === "string" ? classColor(k) : c.color)),
    ignoreIndex: ignore_index,
  };
}

/** The colours that the config gives to classes; those that are made up mean nothing in a mask. */
function ownColors(classes: Static<typeof schema>["classes"]): [color: Rgb, label: number][] {
  return classes.flatMap((c, k): [Rgb, number][] => (typeof c === "string" ? [] : [[c.color, k]]));
}

/** A colour for class `k` that differs from its neighbours': the bits of k spread over red, green and blue (Pascal VOC's). */
export function classColor(k: number): [number, number, number] {
  const color: [number, number, number] = [0, 0, 0];
  for (let bits = k + 1, shift = 7; bits > 0; bits >>= 3, shift--)
    for (const channel of [0, 1, 2] as const) color[channel] |= ((bits >> channel) & 1) << shift;
  return color;
}
