import { join } from "node:path";
import { Type, type Static } from "typebox";
import { defineDataset } from "../registry/component.ts";
import { pathOption } from "../registry/component_ref.ts";
import type { DatasetInfo } from "./contracts.ts";
import { FileDataset } from "./file_dataset.ts";
import { LabelTable } from "./label_table.ts";
import {
  filesByStem,
  imageSuffixes,
  pairUp,
  pickListed,
  readList,
  requireFolder,
  requireSamples,
} from "./listing.ts";

const byte = Type.Integer({ minimum: 0, maximum: 255 });
const className = Type.String({ minLength: 1 });
const coloredClass = Type.Object({ name: className, color: Type.Tuple([byte, byte, byte]) });
const suffixes = (fallback: string[], description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { minItems: 1, default: fallback, description });

const schema = Type.Object({
  root: pathOption({ description: "the folder that the other folders are in" }),
  images: Type.String({ default: "images", description: "folder of the images, inside root" }),
  masks: Type.String({ default: "masks", description: "folder of the masks, inside root" }),
  splits: Type.Union([Type.Literal("folders"), Type.Literal("lists")], {
    default: "folders",
    description:
      "folders: IMAGES/SPLIT and MASKS/SPLIT; lists: ROOT/SPLIT.txt names the files of IMAGES and MASKS",
  }),
  image_suffixes: suffixes(
    [...imageSuffixes],
    "how image files end; what stands before is the sample's name",
  ),
  mask_suffixes: suffixes([".png"], "how mask files end; what stands before must be the image's name"),
  classes: Type.Array(Type.Union([className, coloredClass]), {
    minItems: 1,
    maxItems: 255,
    description: "every class, in the order of its number: a name, or {name, color: [red, green, blue]}",
  }),
  ignore_index: Type.Integer({
    minimum: 1,
    maximum: 255,
    default: 255,
    description: "the mask value of pixels that count nowhere; no class's number",
  }),
  reduce_zero_label: Type.Boolean({
    default: false,
    description:
      "masks where 0 means other and class k is stored as k + 1 (ADE20K): 0 is ignored, the rest shifted",
  }),
});

/** Images and PNG masks in folders: ADE20K, one's own data. */
export default defineDataset({
  type: "folder",
  description: "a folder of images and a folder of PNG masks, split by subfolders or by lists",
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
          expected: `a number from ${classes.length} to 255, because the classes are 0..${classes.length - 1}`,
          found: String(ignore_index),
        };
      },
    },
  ],
  async create(options, { split }) {
    const { root, image_suffixes, mask_suffixes } = options;
    const info = describe(options);
    await requireFolder(root, "the data set's folder", "correct data.dataset.root");
    const byLists = options.splits === "lists";
    const images = join(root, options.images, byLists ? "." : split);
    const masks = join(root, options.masks, byLists ? "." : split);
    for (const folder of [images, masks])
      await requireFolder(folder, byLists ? "a folder of the data set" : `a folder of split "${split}"`);

    let imageFiles = await filesByStem(images, image_suffixes);
    let maskFiles = await filesByStem(masks, mask_suffixes);
    const list = join(root, `${split}.txt`);
    if (byLists) {
      const listed = await readList(list);
      imageFiles = pickListed(listed, imageFiles, { list, folder: images, what: "image" });
      maskFiles = pickListed(listed, maskFiles, { list, folder: masks, what: "mask" });
    }
    const table = options.reduce_zero_label
      ? LabelTable.shifted(info.classes.length, info.ignoreIndex)
      : LabelTable.plain(info.classes.length, info.ignoreIndex);
    const pairs = pairUp(imageFiles, maskFiles, { images, masks }).map((pair) => ({ ...pair, table }));
    return new FileDataset(info, requireSamples(pairs, split, byLists ? list : images));
  },
});

function describe({ classes, ignore_index }: Static<typeof schema>): DatasetInfo {
  return {
    classes: classes.map((c) => (typeof c === "string" ? c : c.name)),
    palette: classes.map((c, k) => (typeof c === "string" ? classColor(k) : c.color)),
    ignoreIndex: ignore_index,
  };
}

/** A colour for class `k` that differs from its neighbours': the bits of k spread over red, green and blue (Pascal VOC's). */
export function classColor(k: number): [number, number, number] {
  const color: [number, number, number] = [0, 0, 0];
  for (let bits = k + 1, shift = 7; bits > 0; bits >>= 3, shift--)
    for (const channel of [0, 1, 2] as const) color[channel] |= ((bits >> channel) & 1) << shift;
  return color;
}
