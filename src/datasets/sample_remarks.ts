/** What is odd about a sample's image and stops nothing. */
export type SampleRemark =
  "unturned_by_mask" | "turned_by_mask" | "first_of_many" | "upper_bits" | "grey_of_colors";

/** How often something was remarked, and the first image in which it was. */
export interface RemarkCount {
  readonly remark: SampleRemark;
  readonly count: number;
  readonly first: string;
}

/** One line for a log. `whole`: of what the images are, such as `12 images of split "train"`. */
export function remarkText({ remark, count, first }: RemarkCount, whole: string): string {
  return `${count} of ${whole} ${texts[remark]} (first: ${first})`;
}

const texts: Readonly<Record<SampleRemark, string>> = {
  unturned_by_mask:
    "fit their masks only without their EXIF orientation and are read so: the masks were drawn on the unturned images; " +
    "exif: ignore reads all images so, and those of predict",
  turned_by_mask:
    "fit their masks only with their EXIF orientation applied and are read so: the masks were drawn on the turned " +
    "images; exif: apply reads all images so, and those of predict",
  first_of_many: "hold further frames or pages, which are not read: the first is",
  upper_bits:
    "have 16 bits a channel, of which the upper 8 are read; model.preprocess.bits: 16 reads all, as values of 0 to 65535",
  grey_of_colors: "have colours and are read as grey: 0.299 red + 0.587 green + 0.114 blue",
};

/** Counts remarks over the samples of a split. */
export class RemarkCounter {
  private readonly found = new Map<SampleRemark, { count: number; index: number; file: string }>();

  /** @param index the sample's number: the first is the one with the least, whatever the order of the calls */
  add(remarks: readonly SampleRemark[], index: number, file: string): void {
    for (const remark of remarks) {
      const { count, ...least } = this.found.get(remark) ?? { count: 0, index, file };
      this.found.set(remark, { count: count + 1, ...(index < least.index ? { index, file } : least) });
    }
  }

  counts(): RemarkCount[] {
    return [...this.found].map(([remark, { count, file }]) => ({ remark, count, first: file }));
  }
}
