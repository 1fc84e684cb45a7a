import { SegfuseError } from "../errors.ts";
import type { FileFormat } from "./bands_option.ts";
import type { Dataset, DatasetInfo, RawSample } from "./contracts.ts";
import { sameSize, type ExifMode } from "./orientation.ts";
import { readImage } from "./image_file.ts";
import { readMask } from "./mask_file.ts";
import type { MaskLabels } from "./mask_labels.ts";

/** One sample's two files. `table` turns what the mask stores into class numbers. */
export interface FilePair {
  readonly id: string;
  readonly image: string;
  readonly label: string;
  readonly table: MaskLabels;
}

/** A split whose samples are an image file and a mask file of the same size each. */
export class FileDataset implements Dataset {
  constructor(
    readonly info: DatasetInfo,
    private readonly pairs: readonly FilePair[],
    /** What an EXIF orientation of the images means; the masks stay as they are. */
    private readonly exif: ExifMode,
    /** What of the images is read. */
    private readonly format: FileFormat,
  ) {}

  get length(): number {
    return this.pairs.length;
  }

  id(index: number): string {
    return this.pair(index).id;
  }

  files(index: number): { image: string; label: string } {
    const { image, label } = this.pair(index);
    return { image, label };
  }

  async load(index: number): Promise<RawSample> {
    const { id, image: imageFile, label: labelFile, table } = this.pair(index);
    const reading = readMask(labelFile);
    const [{ remarks, header, ...image }, mask] = await Promise.all([
      readImage(imageFile, { exif: this.exif, format: this.format, maskSize: () => reading }),
      reading,
    ]);
    if (!sameSize(mask, image)) {
      const { orientation, width, height } = header;
      const stored = `, whose EXIF orientation is ${orientation} (${width}x${height} as stored)`;
      throw new SegfuseError("SEGFUSE_DATA_SIZE", "a mask and its image differ in size", {
        where: labelFile,
        expected: `${image.width}x${image.height} (width x height), as ${imageFile}${orientation === 1 ? "" : stored}`,
        found: `${mask.width}x${mask.height}`,
      });
    }
    return { id, image, label: table.apply(mask, labelFile), remarks };
  }

  private pair(index: number): FilePair {
    const pair = this.pairs[index];
    if (pair === undefined) throw new RangeError(`sample ${index} of ${this.length}`);
    return pair;
  }
}
