import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import { loadConfig, type LoadedConfig } from "../../src/config/load.ts";
import { createRegistry } from "../../src/builtin.ts";
import type { Registry } from "../../src/kinds.ts";
import type { Logger } from "../../src/util/logger.ts";
import { Random } from "../../src/util/random.ts";

const classes = [
  { name: "ground", color: [200, 40, 40] },
  { name: "box", color: [40, 200, 40] },
  { name: "sky", color: [40, 40, 200] },
] as const;

/** A logger that keeps its lines. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = [];

  info(message: string): void {
    this.lines.push(message);
  }

  step(message: string): void {
    this.lines.push(message);
  }

  warn(message: string): void {
    this.lines.push(`warning: ${message}`);
  }
}

/**
 * A data set of small pictures whose classes have each their colour (`images/{train,val}`, `masks/{train,val}`),
 * and a config of a network that learns it in some ten updates: enough for every part of a run.
 */
export class TinyRun {
  readonly folder = mkdtempSync(join(tmpdir(), "segfuse-run-"));
  readonly data = join(this.folder, "data");
  readonly config = join(this.folder, "tiny.yaml");
  readonly registry: Registry = createRegistry();

  constructor({ train = 8, val = 3 } = {}) {
    writeImages(this.data, "train", train);
    writeImages(this.data, "val", val);
    const list = classes.map(({ name, color }) => `{name: ${name}, color: [${color.join(", ")}]}`).join(", ");
    writeFileSync(
      this.config,
      `
name: tiny
seed: 3
model:
  backbone: {type: resnet, depth: 18, stem: v1, base_channels: 4, output_stride: 8}
  neck: {type: addition, channels: 8, refine_convs: 1}
  head: {type: ppm, context: {type: ppm, channels: 8, bins: [1, 2]}, dropout: 0.1}
  auxiliary_head: {type: fcn, channels: 8, losses: [{type: cross_entropy, weight: 0.4}]}
data:
  dataset: {type: folder, root: ${JSON.stringify(this.data)}, classes: [${list}]}
  batch_size: 2
  workers: 1
  crop_size: [32, 32]
optimizer: {type: sgd, lr: 0.05, momentum: 0.9}
schedule: {type: poly, iterations: 6}
evaluation: {interval: 3, mode: whole}
checkpoint: {interval: 2, keep_last: 2}
log: {interval: 2}
`,
    );
  }

  /** @param set as the command line's `--set` */
  load(...set: string[]): Promise<LoadedConfig> {
    return loadConfig(this.config, { registry: this.registry, set });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

function writeImages(data: string, split: string, count: number): void {
  const [height, width] = [40, 48];
  for (const kind of ["images", "masks"]) mkdirSync(join(data, kind, split), { recursive: true });
  for (let i = 0; i < count; i++) {
    const random = new Random(split, i);
    const horizon = 12 + random.integer(12);
    const [left, top, size] = [random.integer(30), horizon - random.integer(8), 8 + random.integer(8)];
    const image = new Uint8Array(height * width * 3);
    const mask = new Uint8Array(height * width);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inBox = x >= left && x < left + size && y >= top && y < top + size;
        const at = y * width + x;
        mask[at] = inBox ? 1 : y < horizon ? 2 : 0;
        const { color } = classes[mask[at]]!;
        for (let c = 0; c < 3; c++) image[3 * at + c] = color[c]! + random.integer(40) - 20;
      }
    }
    writeFileSync(
      join(data, "images", split, `${i}.png`),
      encode({ width, height, data: image, channels: 3 }),
    );
    writeFileSync(join(data, "masks", split, `${i}.png`), encode({ width, height, data: mask, channels: 1 }));
  }
}
