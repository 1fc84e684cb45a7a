import type { Random } from "../util/random.ts";
import type { Size } from "../util/size.ts";
import type { ExifMode } from "./orientation.ts";
import type { SampleRemark } from "./sample_remarks.ts";
import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

/** What a data set says of itself; goes into checkpoints and reports. */
export interface DatasetInfo {
  readonly classes: readonly string[];
  /** One RGB colour a class. */
  readonly palette: readonly (readonly [number, number, number])[];
  /** The label of pixels that count nowhere. Never a class's number. */
  readonly ignoreIndex: number;
}

/** What a network takes of its images: `model.in_channels` and `model.preprocess.bits`. */
export interface ImageFormat {
  /** Bands of an image, 1 (grey), 3 (RGB) or any other number. */
  readonly channels: number;
  /** 8: values are 0..255; 16: 0..65535, as the files store them. */
  readonly bits: 8 | 16;
}

/** A decoded picture of 8 or 16 bits a channel, row by row: [height, width, channels]. */
export interface RawImage {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint16Array;
}

/** Labels of pixels: of 16 bits where the ignore index, which lies behind all classes, does not fit into 8. */
export type LabelData = Uint8Array | Uint16Array;

/** A label map [height, width]: class numbers 0..N-1 or the ignore index, checked. */
export interface RawLabel {
  readonly height: number;
  readonly width: number;
  readonly data: LabelData;
}

export interface RawSample {
  readonly id: string;
  readonly image: RawImage;
  readonly label: RawLabel;
  /** What is odd about the image and stops nothing; counted and told by checks and evaluations. */
  readonly remarks?: readonly SampleRemark[];
}

/** One split of a data set. Samples are numbered 0..length-1 in a fixed order. */
export interface Dataset {
  readonly info: DatasetInfo;
  readonly length: number;
  id(index: number): string;
  /** Files of a sample, for messages and for the check before the first iteration; none where it is generated. */
  files(index: number): { image: string; label: string } | null;
  /** Reads and checks one sample, whose arrays are the caller's to change or give away. Throws a SegfuseError that names the file. */
  load(index: number): Promise<RawSample>;
}

/**
 * A sample on its way through the transforms. `image` is [height, width, channels] (`model.in_channels`, so many as its
 * length says) in 0..255, or 0..65535 where `model.preprocess.bits` is 16, until the last step normalises it; `valid` is
 * the rectangle that holds real pixels, everything outside becomes exactly 0 after normalisation.
 */
export interface Sample {
  id: string;
  height: number;
  width: number;
  image: Float32Array;
  label: LabelData;
  /** The label's own size may differ from the image's at evaluation (a resize of the image alone). */
  labelHeight: number;
  labelWidth: number;
  valid: { top: number; left: number; height: number; width: number };
  /** As of the raw sample: transforms need not hand them on. */
  remarks?: readonly SampleRemark[];
}

export interface TransformInputs {
  /** [height, width]; `data.crop_size`. */
  readonly cropSize: readonly [number, number];
  readonly ignoreIndex: number;
  /** Classes of the data set, in a run: labels are 0..numClasses-1 or the ignore index. */
  readonly numClasses?: number;
}

/**
 * A sample whose resize is decided but not done: `height`, `width` (and the label's) are the size it will have,
 * `source` the pixels it comes from. Transforms that can work on it let a crop resample its own window alone.
 */
export interface DeferredSample {
  readonly source: DeferredSource;
  readonly height: number;
  readonly width: number;
  readonly labelHeight: number;
  readonly labelWidth: number;
}

/** As {@link Sample}, but the image may still be what was decoded. */
export interface DeferredSource extends Readonly<Omit<Sample, "image">> {
  readonly image: RawImage["data"] | Float32Array;
}

/** A step of augmentation. Every random choice comes from `random`, the sample's own stream for this transform. */
export interface Transform {
  apply(sample: Sample, random: Random): Promise<Sample> | Sample;
  /** The same, bit for bit, on a deferred sample. Where a transform has none, the resize is done before `apply`. */
  applyDeferred?(sample: DeferredSample, random: Random): DeferredSample | Sample;
}

/** What reaches the training step. */
export interface Batch {
  readonly ids: readonly string[];
  readonly height: number;
  readonly width: number;
  /** [batch, height, width, channels], normalised. */
  readonly images: Float32Array;
  /** [batch, height, width]. */
  readonly labels: Int32Array;
}

/** What reaches evaluation: one whole image, normalised, and its label at the label's own size. */
export interface EvaluationSample {
  readonly index: number;
  readonly id: string;
  readonly height: number;
  readonly width: number;
  readonly image: Float32Array;
  readonly labelHeight: number;
  readonly labelWidth: number;
  readonly label: LabelData;
}

export interface DatasetRecord<S extends TObject = TObject> extends RecordBase<"dataset", S> {
  /** What the options alone say of the data set, for commands that need no files; undefined: the files must be there. */
  readonly info?: (options: Static<S>) => DatasetInfo;
  /** What its images' EXIF orientation means, for images that come without it; default: `apply`. */
  readonly exif?: (options: Static<S>) => ExifMode;
  /**
   * What to do where pixels that are ignored may be a class's, for warnings: which option says what stored values mean.
   *
   * @param absent a class that no mask has; null: all are there
   */
  readonly ignoredAdvice?: (options: Static<S>, info: DatasetInfo, absent: number | null) => string;
  /**
   * Lists the split and checks that its files exist; decodes nothing. Called in the main thread and in each worker.
   * `image` is what the network takes, where the caller knows it (default: RGB of 8 bits). Grey and RGB images become
   * each other afterwards; a data set whose images have another number of channels is refused.
   */
  create(options: Static<S>, inputs: { split: string; image?: ImageFormat }): Promise<Dataset>;
}

export const defineDataset = <S extends TObject>(d: Definition<DatasetRecord<S>>): DatasetRecord =>
  defineRecord("dataset", d);

export interface TransformRecord<S extends TObject = TObject> extends RecordBase<"transform", S> {
  /**
   * The size [height, width] that images have after it, whatever theirs was, so that a network can be tried at it before
   * any is made. Default: it depends on the image.
   */
  readonly size?: (options: Static<S>, inputs: Pick<TransformInputs, "cropSize">) => Size;
  create(options: Static<S>, inputs: TransformInputs): Transform;
}

export const defineTransform = <S extends TObject>(d: Definition<TransformRecord<S>>): TransformRecord =>
  defineRecord("transform", d);
