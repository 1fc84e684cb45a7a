import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { encode } from "fast-png";
import sharp from "sharp";
import type { DataConfig } from "../../src/datasets/source.ts";
import { SegfuseError } from "../../src/errors.ts";

interface Packed {
  shape: number[];
  data: string;
}

interface DataFixture {
  image: Packed;
  label: Packed;
  resized: { size: [number, number]; image: Packed; label: Packed }[];
  files: Record<string, { file: string; pixels: Packed }>;
}

/** What test/fixtures/make_data.py wrote. */
export const fixture = JSON.parse(
  readFileSync(new URL("../fixtures/data.json", import.meta.url), "utf8"),
) as DataFixture;

export const bytes = ({ data }: Packed) => new Uint8Array(Buffer.from(data, "base64"));
export const floats = (packed: Packed) => new Float32Array(bytes(packed).buffer);

/** Writes one of the fixture's files; returns its path. */
export function writeFixture(name: string, path: string): string {
  put(path, Buffer.from(fixture.files[name]!.file, "base64"));
  return path;
}

export function put(path: string, data: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
}

export function putMask(path: string, width: number, height: number, value: (p: number) => number): void {
  const data = Uint8Array.from({ length: width * height }, (_, p) => value(p));
  put(path, encode({ width, height, data, channels: 1, depth: 8 }));
}

export async function putImage(path: string, width: number, height: number, seed = 1): Promise<void> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, k) => (k * 7 * seed) % 256);
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 95 })
    .toBuffer();
  put(path, jpeg);
}

/** A folder data set of `count` images of 40x30 with three classes and ignored pixels. */
export async function makeFolder(root: string, split: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await putImage(`${root}/images/${split}/s${i}.jpg`, 40, 30, i + 1);
    putMask(`${root}/masks/${split}/s${i}.png`, 40, 30, (p) => ((p + i) % 5 === 4 ? 255 : (p + i) % 3));
  }
}

export const folderOptions = {
  images: "images",
  masks: "masks",
  splits: "folders",
  list: null,
  oversample: false,
  image_suffixes: [".jpg", ".png"],
  mask_suffixes: [".png"],
  classes: ["a", "b", "c"],
  ignore_index: 255,
  reduce_zero_label: false,
  exif: "apply",
};

export const augmentation = [
  { type: "random_scale", range: [0.75, 2] },
  { type: "random_crop", size: null, cat_max_ratio: 1 },
  { type: "random_flip", probability: 0.5 },
  { type: "color_jitter", shift: 10 },
];

export function dataConfig(
  dataset: { type: string; [option: string]: unknown },
  more: object = {},
): DataConfig {
  return {
    plugins: [],
    model: { preprocess: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] } },
    data: {
      dataset,
      batch_size: 3,
      workers: 0,
      crop_size: [24, 32],
      train: { split: "train", transforms: augmentation },
      val: { split: "val", transforms: [] },
      test: { split: "test", transforms: [] },
      ...more,
    },
    optimizer: { accumulate: 1 },
  };
}

/** The text of the SegfuseError that `action` ends in, with `root` cut out of it. */
export async function complaint(action: () => Promise<unknown>, root: string): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof SegfuseError) return error.report().replaceAll(root, "ROOT");
    throw error;
  }
  throw new Error("no complaint");
}
