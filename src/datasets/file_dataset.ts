import { SegfuseError } from "../errors.ts";
import type { Dataset, DatasetInfo, RawSample } from "./contracts.ts";
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
    const [image, mask] = await Promise.all([readImage(imageFile), readMask(labelFile)]);
    if (mask.height !== image.height || mask.width !== image.width)
      throw new SegfuseError("SEGFUSE_DATA_SIZE", "a mask and its image differ in size", {
        where: labelFile,
        expected: `${image.width}x${image.height} (width x height), as ${imageFile}`,
        found: `${mask.width}x${mask.height}`,
      });
    return { id, image, label: table.apply(mask, labelFile) };
  }

  private pair(index: number): FilePair {
    const pair = this.pairs[index];
    if (pair === undefined) throw new RangeError(`sample ${index} of ${this.length}`);
    return pair;
  }
}
