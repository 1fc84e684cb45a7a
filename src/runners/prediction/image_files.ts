import type { Dataset, DatasetInfo, RawImage, RawSample } from "../../datasets/contracts.ts";
import type { FileFormat } from "../../datasets/bands_option.ts";
import { readImage } from "../../datasets/image_file.ts";
import type { ExifMode } from "../../datasets/orientation.ts";
import type { InputImage } from "./input_images.ts";

/** Images without labels, as a data set: the label is class 0 everywhere and nobody looks at it. */
export class ImageFiles implements Dataset {
  /** The image that was read last, as it was decoded: transforms may change the sample's own. */
  last: RawImage | null = null;

  constructor(
    private readonly images: readonly InputImage[],
    readonly info: DatasetInfo,
    private readonly exif: ExifMode,
    private readonly format: FileFormat,
  ) {}

  get length(): number {
    return this.images.length;
  }

  id(index: number): string {
    return this.images[index]!.file;
  }

  files(): null {
    return null;
  }

  async load(index: number): Promise<RawSample> {
    const image = await readImage(this.id(index), { exif: this.exif, format: this.format });
    const { height, width } = image;
    this.last = { ...image, data: image.data.slice() };
    return { id: this.id(index), image, label: { height, width, data: new Uint8Array(height * width) } };
  }
}
