import { Type } from "typebox";
import { SegfuseError } from "../errors.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import type { ImageFormat } from "./contracts.ts";
import { rgbOfBytes } from "./image_format.ts";

/** Which bands of a file the network is given, counted from 1; null: all of them. */
export type BandChoice = readonly number[] | null;

/** The option `bands` of every data set whose images are files. */
export const bandsOption = Type.Union(
  [Type.Array(Type.Integer({ minimum: 1, maximum: 65_536 }), { minItems: 1 }), Type.Null()],
  {
    default: null,
    description:
      "which bands of the files the network is given, in this order, counted from 1 as GDAL does: [4, 3, 2]; " +
      "null: all, and an opacity is left out where the network has no place for it",
  },
);

/** The bands that a config's data set names, for images that come without it; null where it has none. */
export function bandsOf({ bands }: ComponentConfig): BandChoice {
  return Array.isArray(bands) ? (bands as number[]) : null;
}

/** What of image files is read, and as what. */
export interface FileFormat extends ImageFormat {
  readonly bands: BandChoice;
}

/**
 * What is to be read of a data set's files.
 *
 * @throws SegfuseError SEGFUSE_DATA_OPTION where `bands` names more or fewer bands than the network takes
 */
export function fileFormat(image: ImageFormat = rgbOfBytes, bands: BandChoice = null): FileFormat {
  if (bands !== null && bands.length !== image.channels)
    throw new SegfuseError("SEGFUSE_DATA_OPTION", "the bands do not fit the network", {
      where: "data.dataset.bands",
      expected: `${image.channels} numbers (model.in_channels)`,
      found: `${bands.length}`,
      advice: `model.in_channels: ${bands.length}, with as many numbers in model.preprocess.mean and std`,
    });
  return { ...image, bands };
}
