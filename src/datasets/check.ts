import { SegfuseError } from "../errors.ts";
import type { Dataset, DatasetInfo, ImageFormat } from "./contracts.ts";
import { labelValues } from "./label_array.ts";
import { openDataset, spread } from "./loader.ts";
import { fitImage } from "./image_format.ts";
import { formatOf } from "./pipeline.ts";
import { RemarkCounter, type RemarkCount } from "./sample_remarks.ts";
import type { DataConfig, DataSection } from "./source.ts";
import { ValueStatistics, type ValueRange } from "./value_statistics.ts";

/** How many samples of each split are decoded before a run starts. */
export const samplesBeforeRun = 6;

/** How many samples are read beside each other: decoding runs in threads of its own. */
const readers = 4;

/** Seconds between two lines of progress. */
const tellInterval = 5;

export interface CheckDataOptions {
  readonly sections?: readonly [DataSection, ...DataSection[]];
  /** Samples of each split that are decoded, evenly spread; default {@link samplesBeforeRun}. */
  readonly samples?: number;
  /** Told now and then where many samples are read. */
  readonly onProgress?: (line: string) => void;
}

/** A range of sizes in pixels. */
export interface SizeRange {
  readonly least: readonly [height: number, width: number];
  readonly most: readonly [height: number, width: number];
}

/** What was found in a split. */
export interface SplitCheck {
  readonly section: DataSection;
  readonly split: string;
  /** Samples. */
  readonly length: number;
  /** Samples that were decoded without a complaint. */
  readonly checked: number;
  /** Of the images that were decoded; each side by itself. Null where none was. */
  readonly sizes: SizeRange | null;
  /** Of the images that were decoded, as the network takes them; null where none was. */
  readonly channels: number | null;
  /** Of the images that were decoded, as the network takes them; null where none was. */
  readonly values: ValueRange | null;
  /** Labelled pixels of each class, in the masks that were decoded. */
  readonly pixels: readonly number[];
  /** Pixels without a label. */
  readonly ignored: number;
  /** Decoded masks without any labelled pixel: how many, and the first one's file or id. */
  readonly unlabelled: { readonly count: number; readonly first: string | null };
  /** What is odd about images that were decoded, and stops nothing. */
  readonly remarks: readonly RemarkCount[];
}

export interface SharedImages {
  readonly sections: readonly [DataSection, DataSection];
  readonly count: number;
  readonly first: string;
}

export interface RepeatedImages {
  readonly section: DataSection;
  readonly count: number;
  readonly first: string;
}

export interface DataCheck {
  /** Of the first split that could be opened; null where none could. */
  readonly info: DatasetInfo | null;
  readonly splits: readonly SplitCheck[];
  /** All that is wrong, split by split. */
  readonly complaints: readonly SegfuseError[];
  /** Images that two sections have in common: how many, and the first such file. */
  readonly shared: readonly SharedImages[];
  /** Evaluated sections that have an image more than once: how many such images, and the first. */
  readonly repeated: readonly RepeatedImages[];
}

/**
 * What a run checks of its data before the first iteration: every file of the splits exists, the splits agree on
 * their classes, and a few samples of each (or all) can be decoded and hold no label outside the classes.
 */
export async function checkData(config: DataConfig, options: CheckDataOptions = {}): Promise<DataCheck> {
  const { sections = ["train", "val"], samples = samplesBeforeRun, onProgress } = options;
  const complaints: SegfuseError[] = [];
  const splits: SplitCheck[] = [];
  const files = new Map<DataSection, Set<string>>();
  const repeated: RepeatedImages[] = [];
  let info: DatasetInfo | null = null;
  for (const section of sections) {
    const { split } = config.data[section];
    const dataset = await openDataset(config, section).catch(keep(complaints));
    if (dataset === null) continue;
    info ??= dataset.info;
    const other = differentClasses(info, dataset.info, section);
    if (other !== null) complaints.push(other);
    const wanted = Math.min(samples, dataset.length);
    const checker = new SplitChecker(dataset, split, formatOf(config.model.preprocess), onProgress);
    await checker.read(spread(dataset.length, wanted));
    complaints.push(...checker.complaints);
    splits.push({ section, split, ...checker.summary() });
    files.set(section, imagesOf(dataset));
    const again = section === "train" ? null : repeatedImages(dataset);
    if (again !== null) repeated.push({ section, ...again });
  }
  return { info, splits, complaints: unique(complaints), shared: sharedImages(files), repeated };
}

/** Reads samples of a split and counts. */
class SplitChecker {
  /** In the order of the samples. */
  get complaints(): SegfuseError[] {
    return [...this.wrong].sort(([a], [b]) => a - b).map(([, error]) => error);
  }

  private readonly wrong = new Map<number, SegfuseError>();
  private readonly unlabelled: number[] = [];
  private readonly pixels: number[];
  private readonly remarks = new RemarkCounter();
  private ignored = 0;
  private checked = 0;
  private sizes: SizeRange | null = null;
  private readonly values = new ValueStatistics();

  constructor(
    private readonly dataset: Dataset,
    private readonly split: string,
    private readonly format: ImageFormat,
    private readonly onProgress: ((line: string) => void) | undefined,
  ) {
    this.pixels = dataset.info.classes.map(() => 0);
  }

  async read(indices: readonly number[]): Promise<void> {
    let next = 0;
    let told = performance.now();
    const failed: number[] = [];
    const reader = async () => {
      while (next < indices.length) {
        const index = indices[next++]!;
        if ((await this.tryOne(index)) !== null) failed.push(index);
        if (performance.now() - told < 1000 * tellInterval) continue;
        told = performance.now();
        this.onProgress?.(`checked ${next} of ${indices.length} samples of ${this.split}`);
      }
    };
    await Promise.all(Array.from({ length: readers }, reader));
    // Again, one by one: the image library keeps one text of errors for all its threads, and loses some of it.
    for (const index of failed) {
      const error = await this.tryOne(index);
      if (error !== null) this.wrong.set(index, error);
    }
  }

  summary(): Omit<SplitCheck, "section" | "split"> {
    const { checked, sizes, pixels, ignored } = this;
    const values = this.values.range;
    const channels = checked === 0 ? null : this.format.channels;
    const first = this.unlabelled.length === 0 ? null : Math.min(...this.unlabelled);
    const unlabelled = { count: this.unlabelled.length, first: first === null ? null : this.nameOf(first) };
    const remarks = this.remarks.counts();
    const counts = { pixels, ignored, unlabelled, remarks };
    return { length: this.dataset.length, checked, sizes, channels, values, ...counts };
  }

  private tryOne(index: number): Promise<SegfuseError | null> {
    return this.readOne(index).catch((error: unknown) => asSegfuseError(error));
  }

  private async readOne(index: number): Promise<SegfuseError | null> {
    const { image, label, remarks = [] } = await this.dataset.load(index);
    const { classes, ignoreIndex } = this.dataset.info;
    const counts = new Float64Array(labelValues(label.data));
    for (const value of label.data) counts[value]!++;
    // The data sets of segfuse have checked this as they read; a plug-in's may not have.
    const wrong = label.data.findIndex((value) => value >= classes.length && value !== ignoreIndex);
    if (wrong >= 0)
      return new SegfuseError("SEGFUSE_DATA_LABEL", "a label holds a value that is no class", {
        where: this.nameOf(index),
        expected: `classes 0..${classes.length - 1} and ${ignoreIndex} (ignore)`,
        found: `value ${label.data[wrong]}, first at x=${wrong % label.width}, y=${Math.floor(wrong / label.width)}`,
      });
    // Files are read so; of other data sets it is seen here.
    const imageName = this.dataset.files(index)?.image ?? this.dataset.id(index);
    this.values.add(fitImage(image, this.format, imageName));
    for (const k of classes.keys()) this.pixels[k]! += counts[k] ?? 0;
    const ignored = counts[ignoreIndex] ?? 0;
    this.ignored += ignored;
    if (ignored === label.data.length) this.unlabelled.push(index);
    this.checked++;
    this.remarks.add(remarks, index, imageName);
    this.addSize([image.height, image.width]);
    return null;
  }

  private addSize(size: readonly [number, number]): void {
    const { least, most } = this.sizes ?? { least: size, most: size };
    this.sizes = {
      least: [Math.min(least[0], size[0]), Math.min(least[1], size[1])],
      most: [Math.max(most[0], size[0]), Math.max(most[1], size[1])],
    };
  }

  private nameOf(index: number): string {
    return this.dataset.files(index)?.label ?? this.dataset.id(index);
  }
}

function differentClasses(first: DatasetInfo, other: DatasetInfo, section: DataSection): SegfuseError | null {
  const describe = ({ classes, ignoreIndex }: DatasetInfo) => `${classes.join(", ")}; ignore ${ignoreIndex}`;
  if (describe(first) === describe(other)) return null;
  return new SegfuseError("SEGFUSE_DATA_OPTION", "the splits do not have the same classes", {
    where: `data.${section}`,
    expected: describe(first),
    found: describe(other),
  });
}

function imagesOf(dataset: Dataset): Set<string> {
  const images = new Set<string>();
  for (let i = 0; i < dataset.length; i++) {
    const files = dataset.files(i);
    if (files !== null) images.add(files.image);
  }
  return images;
}

/** Images that a split has more than once (by `oversample`), which count as often in its scores; null: none. */
function repeatedImages(dataset: Dataset): { count: number; first: string } | null {
  const counts = new Map<string, number>();
  for (let i = 0; i < dataset.length; i++) {
    const image = dataset.files(i)?.image;
    if (image !== undefined) counts.set(image, (counts.get(image) ?? 0) + 1);
  }
  const again = [...counts].filter(([, count]) => count > 1).map(([image]) => image);
  return again.length === 0 ? null : { count: again.length, first: again[0]! };
}

function sharedImages(files: ReadonlyMap<DataSection, ReadonlySet<string>>): SharedImages[] {
  const sections = [...files];
  return sections.flatMap(([one, images], i) =>
    sections.slice(i + 1).flatMap(([other, others]): SharedImages[] => {
      const both = [...images].filter((file) => others.has(file));
      return both.length === 0 ? [] : [{ sections: [one, other], count: both.length, first: both[0]! }];
    }),
  );
}

/** Two splits of one folder complain about the same thing. */
function unique(complaints: readonly SegfuseError[]): SegfuseError[] {
  return [...new Map(complaints.map((complaint) => [complaint.report(), complaint])).values()];
}

/** For `catch`: our own errors are kept, all others go on. */
function keep(complaints: SegfuseError[]): (error: unknown) => null {
  return (error) => {
    complaints.push(asSegfuseError(error));
    return null;
  };
}

function asSegfuseError(error: unknown): SegfuseError {
  if (error instanceof SegfuseError) return error;
  throw error;
}
