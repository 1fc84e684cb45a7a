import { join } from "node:path";
import { Type } from "typebox";
import { type DatasetInfo, defineDataset } from "./contracts.ts";
import { pathOption } from "../registry/component_ref.ts";
import { cityscapesClasses } from "./cityscapes_classes.ts";
import { bandsOption, fileFormat } from "./bands_option.ts";
import { exifOption } from "./exif_option.ts";
import { FileDataset, type FilePair } from "./file_dataset.ts";
import { labelMapAdvice, labelMapFindings, maskLabels, maskOptions } from "./file_options.ts";
import { LabelTable } from "./label_table.ts";
import { filesByStem, pairUp, requireFolder, requireSamples, type Sides } from "./listing.ts";

const imageSuffix = "_leftImg8bit.png";
const trainIdsSuffix = "_gtFine_labelTrainIds.png";
const labelIdsSuffix = "_gtFine_labelIds.png";

/** Cityscapes (Cordts et al. 2016), fine annotations, the 19 classes that its benchmark scores. */
export default defineDataset({
  type: "cityscapes",
  description:
    "Cityscapes in its own folder layout: leftImg8bit/SPLIT/CITY and gtFine/SPLIT/CITY, 19 classes",
  schema: Type.Object({
    root: pathOption({ description: "the folder that holds leftImg8bit and gtFine" }),
    ignore_index: Type.Union(
      [Type.Integer({ minimum: cityscapesClasses.length, maximum: 255 }), Type.Null()],
      {
        default: null,
        description: "the label of pixels that count nowhere; null: 255, as in labelTrainIds",
      },
    ),
    ...maskOptions,
    exif: exifOption,
    bands: bandsOption,
  }),
  info: ({ ignore_index }) => describe(ignore_index),
  rules: [{ check: ({ label_map }) => labelMapFindings(label_map, cityscapesClasses.length) }],
  exif: ({ exif }) => exif,
  ignoredAdvice: ({ label_map }, { ignoreIndex }, absent) => labelMapAdvice(label_map, ignoreIndex, absent),
  async create({ root, ignore_index, ...options }, { split, image }) {
    const advice =
      "set SEGFUSE_CITYSCAPES (or data.dataset.root) to the folder that holds leftImg8bit and gtFine";
    const folder = await requireFolder(root, "the Cityscapes folder", { advice });
    const images = await requireFolder(join(folder, "leftImg8bit", split), `split "${split}" of Cityscapes`, {
      advice,
    });
    const sides = (...suffixes: string[]): Sides => ({
      images: { folder: images, suffixes: [imageSuffix] },
      masks: { folder: join(folder, "gtFine", split), suffixes },
    });

    const info = describe(ignore_index);
    const { ignoreIndex } = info;
    const trainIds = maskLabels(trainIdTable(ignoreIndex), options, info);
    const labelIds = maskLabels(labelIdTable(ignoreIndex), options, info);
    const byTrainId = await filesByStem(sides(trainIdsSuffix), "masks");
    const byLabelId = await filesByStem(sides(labelIdsSuffix), "masks");
    const masks = new Map([...byLabelId, ...byTrainId]);
    const pairs = (await pairUp(sides(labelIdsSuffix, trainIdsSuffix), split, masks)).map(
      (pair): FilePair => {
        const id = pair.id.split("/").at(-1)!;
        return { ...pair, id, table: byTrainId.has(pair.id) ? trainIds : labelIds };
      },
    );
    const samples = await requireSamples(pairs, split, sides(trainIdsSuffix));
    return new FileDataset(info, samples, options.exif, fileFormat(image, options.bands));
  },
});

function describe(ignoreIndex: number | null): DatasetInfo {
  return {
    classes: cityscapesClasses.map((c) => c.name),
    palette: cityscapesClasses.map((c) => c.color),
    ignoreIndex: ignoreIndex ?? 255,
  };
}

/** `labelTrainIds`: the class numbers themselves, 255 elsewhere. */
function trainIdTable(ignoreIndex: number): LabelTable {
  const classes = cityscapesClasses.map((_, k) => [k, k] as const);
  return new LabelTable([...classes, [255, ignoreIndex]], "train ids 0..18 and 255 (ignore)");
}

/** `labelIds`: 0..33, of which 19 are classes; the others count nowhere. */
function labelIdTable(ignoreIndex: number): LabelTable {
  const ids = Array.from({ length: 34 }, (_, id) => [id, ignoreIndex] as const);
  const classes = cityscapesClasses.map(({ labelId }, k) => [labelId, k] as const);
  return new LabelTable([...ids, ...classes], "label ids 0..33");
}
