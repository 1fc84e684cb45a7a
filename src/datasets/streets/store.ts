import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import sharp from "sharp";
import { cacheFolder } from "../../engine/locate.ts";
import { makeFolder } from "../../util/folder.ts";
import { renderStreet, type StreetPicture } from "./render.ts";

/** Raise it whenever the same keys give another picture. */
const generatorVersion = 2;

/** Bytes of pictures that one thread holds in memory. */
const memoryLimit = 192 * 2 ** 20;

export interface StreetKeys {
  readonly height: number;
  readonly width: number;
  readonly seed: number;
  readonly split: string;
}

/**
 * Streets that are drawn once: held in memory, and in segfuse's cache folder for other threads and later runs.
 * A picture is a file of its own, written under another name first, so that two writers do no harm.
 */
export class StreetStore {
  private readonly memory = new Map<number, StreetPicture>();
  private readonly folder: string | null;

  constructor(
    private readonly keys: StreetKeys,
    onDisk: boolean,
  ) {
    const { rsvg, vips } = sharp.versions as Partial<Record<string, string>>;
    const made = {
      generatorVersion,
      ...keys,
      versions: [rsvg, vips],
      platform: process.platform,
      arch: process.arch,
    };
    const name = createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 16);
    this.folder = onDisk ? join(cacheFolder(), "streets", name) : null;
  }

  /** The picture, as a copy that the caller owns. */
  async get(index: number): Promise<StreetPicture> {
    let picture = this.memory.get(index) ?? (await this.read(index));
    if (picture === null) {
      picture = await this.render(index);
      await this.write(index, picture);
    }
    const { height, width } = this.keys;
    if ((this.memory.size + 1) * height * width * 4 <= memoryLimit) this.memory.set(index, picture);
    const { image, label } = picture;
    return { image: { ...image, data: image.data.slice() }, label: { ...label, data: label.data.slice() } };
  }

  private render(index: number): Promise<StreetPicture> {
    const { height, width, seed, split } = this.keys;
    return renderStreet(height, width, [seed, "streets", split, index]);
  }

  private file(folder: string, index: number): string {
    return join(folder, `${String(index).padStart(6, "0")}.rgbl`);
  }

  /** RGB bytes, then label bytes. A file of another length is no picture. */
  private async read(index: number): Promise<StreetPicture | null> {
    if (this.folder === null) return null;
    const { height, width } = this.keys;
    const bytes = await readFile(this.file(this.folder, index)).catch(() => null);
    const pixels = height * width;
    if (bytes?.length !== 4 * pixels) return null;
    return {
      image: { height, width, channels: 3, data: Uint8Array.from(bytes.subarray(0, 3 * pixels)) },
      label: { height, width, data: Uint8Array.from(bytes.subarray(3 * pixels)) },
    };
  }

  /** A cache that cannot be written (no room, no permission) only costs time. */
  private async write(index: number, { image, label }: StreetPicture): Promise<void> {
    if (this.folder === null) return;
    const file = this.file(this.folder, index);
    const partial = `${file}.${process.pid}-${threadId}`;
    try {
      makeFolder(dirname(file));
      await writeFile(partial, Buffer.concat([image.data, label.data]));
      await rename(partial, file);
    } catch {
      await rm(partial, { force: true }).catch(() => {});
    }
  }
}
