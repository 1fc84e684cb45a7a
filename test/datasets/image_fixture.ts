import { readFileSync } from "node:fs";
import { join } from "node:path";
import { put } from "./support.ts";

interface Packed {
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly data: string;
}

interface ImagesFixture {
  readonly turned: readonly { name: string; orientation: number; file: string; pixels: Packed }[];
  readonly read: Readonly<Record<string, { file: string; pixels: Packed }>>;
  /** In order, and not read. */
  readonly refused: Readonly<Record<string, string>>;
  /** One of each format, by its ending. */
  readonly whole: Readonly<Record<string, string>>;
}

/** What test/fixtures/make_images.py wrote. */
export const images = JSON.parse(
  readFileSync(new URL("../fixtures/images.json", import.meta.url), "utf8"),
) as ImagesFixture;

export const decoded = (text: string): Buffer => Buffer.from(text, "base64");

/** Writes a file of the fixture below `folder`; returns its path. */
export function putFile(folder: string, name: string, file: string): string {
  const path = join(folder, name);
  put(path, decoded(file));
  return path;
}

/** The largest difference between two pictures' values; Infinity where they are not equally many. */
export function worst(found: ArrayLike<number>, expected: Packed): number {
  const values = decoded(expected.data);
  if (found.length !== values.length) return Infinity;
  return values.reduce((most, value, k) => Math.max(most, Math.abs(value - found[k]!)), 0);
}
