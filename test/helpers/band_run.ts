import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encode } from "fast-png";
import { createRegistry } from "../../src/builtin.ts";
import { loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import type { Registry } from "../../src/kinds.ts";

/** What is written of every pixel of a picture. */
export interface Scene {
  /** Values of the image's bands. */
  readonly pixel: (x: number, y: number, index: number) => readonly number[];
  readonly label: (x: number, y: number, index: number) => number;
}

export interface BandRunOptions extends Scene {
  readonly bits: 8 | 16;
  /** Classes and labels, as `data.dataset` has them. */
  readonly dataset: string;
  /** The config's `in_channels` and `preprocess`. */
  readonly model: string;
}

const [height, width] = [32, 40];

/** A data set whose images are TIFFs of any number of bands, and a small network for them. */
export class BandRun {
  readonly folder = mkdtempSync(join(tmpdir(), "segfuse-bands-run-"));
  readonly registry: Registry = createRegistry();
  private readonly config = join(this.folder, "bands.yaml");

  constructor(private readonly options: BandRunOptions) {
    for (const [split, count] of [
      ["train", 4],
      ["val", 2],
    ] as const)
      for (let i = 0; i < count; i++) this.write(split, i);
    writeFileSync(
      this.config,
      `
name: bands
seed: 1
model:
  ${options.model}
  backbone: {type: resnet, depth: 18, stem: v1c, base_channels: 4, output_stride: 8}
  neck: {type: addition, channels: 8, refine_convs: 1}
  head: {type: ppm, context: {type: ppm, channels: 8, bins: [1, 2]}, dropout: 0.1}
data:
  dataset: {type: folder, root: ${JSON.stringify(join(this.folder, "data"))}, ${options.dataset}}
  batch_size: 2
  workers: 1
  crop_size: [32, 32]
optimizer: {type: sgd, lr: 0.01}
schedule: {type: poly, iterations: 2}
evaluation: {interval: 2, mode: whole}
checkpoint: {interval: 2, keep_last: 1}
log: {interval: 1}
`,
    );
  }

  load(...set: string[]): Promise<LoadedConfig> {
    return loadConfig(this.config, { registry: this.registry, set });
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Writes an image alone, with other values than the scene's. */
  writeImage(path: string, pixel: (x: number, y: number) => readonly number[]): string {
    const bands = pixel(0, 0).length;
    const data =
      this.options.bits === 16
        ? new Uint16Array(height * width * bands)
        : new Uint8Array(height * width * bands);
    for (let p = 0; p < height * width; p++) data.set(pixel(p % width, Math.floor(p / width)), p * bands);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, tiff(width, height, bands, data));
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  private write(split: string, i: number): void {
    const { pixel, label } = this.options;
    this.writeImage(this.path("data/images", split, `${i}.tif`), (x, y) => pixel(x, y, i));
    const labels = Uint16Array.from({ length: height * width }, (_, p) =>
      label(p % width, Math.floor(p / width), i),
    );
    const isWide = labels.some((value) => value > 255);
    const data = isWide ? labels : Uint8Array.from(labels);
    const mask = this.path("data/masks", split, `${i}.png`);
    mkdirSync(dirname(mask), { recursive: true });
    writeFileSync(mask, encode({ width, height, data, channels: 1, depth: isWide ? 16 : 8 }));
  }
}

/** An uncompressed TIFF of interleaved bands without a colour, as GDAL writes them, by the standard's words alone. */
export function tiff(width: number, height: number, bands: number, data: Uint8Array | Uint16Array): Buffer {
  const { BYTES_PER_ELEMENT: bytes } = data;
  const entries: (readonly [tag: number, type: 3 | 4, values: readonly number[]])[] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, Array<number>(bands).fill(8 * bytes)], // BitsPerSample
    [259, 3, [1]], // no compression
    [262, 3, [1]], // black is zero
    [273, 4, [8]], // the strip begins behind the header
    [277, 3, [bands]],
    [278, 4, [height]],
    [279, 4, [data.byteLength]],
    [284, 3, [1]], // interleaved
    ...(bands > 1 ? [[338, 3, Array<number>(bands - 1).fill(0)] as const] : []), // ExtraSamples: unspecified
  ];
  const directory = 8 + data.byteLength + (data.byteLength % 2);
  const behind = directory + 2 + 12 * entries.length + 4;
  const more: Buffer[] = [];
  let end = behind;
  const fields = entries.map(([tag, type, values]) => {
    const field = Buffer.alloc(12);
    field.writeUInt16LE(tag, 0);
    field.writeUInt16LE(type, 2);
    field.writeUInt32LE(values.length, 4);
    const size = type === 3 ? 2 : 4;
    const stored = Buffer.alloc(Math.max(4, size * values.length));
    for (const [i, value] of values.entries())
      if (size === 2) stored.writeUInt16LE(value, 2 * i);
      else stored.writeUInt32LE(value, 4 * i);
    if (size * values.length <= 4) stored.copy(field, 8);
    else {
      field.writeUInt32LE(end, 8);
      more.push(stored);
      end += stored.length;
    }
    return field;
  });
  const header = Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(directory, 4);
  const count = Buffer.from([entries.length, 0]);
  const pixels = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([
    header,
    pixels,
    Buffer.alloc(data.byteLength % 2),
    count,
    ...fields,
    Buffer.alloc(4),
    ...more,
  ]);
}
