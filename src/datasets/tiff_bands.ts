import { open, type FileHandle } from "node:fs/promises";

/** Numbers of TIFF tags (TIFF 6.0, sections 8 and 18). */
const tags = { photometric: 262, planarConfiguration: 284, extraSamples: 338 } as const;

/** PhotometricInterpretation of red, green and blue. */
const rgb = 2;
/** PlanarConfiguration of bands that lie one after the other. */
const separate = 2;
/** What ExtraSamples says of a band: something else; an opacity that colours were multiplied by; an opacity. */
const extra = { unspecified: 0, associated: 1, unassociated: 2 } as const;

/** The most that is read of a file at once: Node reads no more than 2 GiB. */
const pieceBytes = 2 ** 30;

/**
 * A TIFF of several bands, its bytes in memory, changed so that libvips gives the values that are stored. Bands without
 * a colour it takes for a grey image with many opacities, and of files that store one band after the other it then reads
 * rows from wrong places: the first three are declared to be red, green and blue. Colours that were multiplied by an
 * opacity it divides again: the opacity is declared to be something else.
 *
 * @param hasColors whether the file says itself that the first three are colours
 */
export async function asStored(file: string, hasColors: boolean): Promise<Buffer> {
  const data = await readWhole(file);
  const photometric = await fieldOf(file, tags.photometric);
  const extras = await fieldOf(file, tags.extraSamples);
  if (photometric === null) throw new Error("the TIFF names no PhotometricInterpretation");
  const write = ({ offset, isLittleEndian }: Field, index: number, value: number) =>
    isLittleEndian
      ? data.writeUInt16LE(value, offset + 2 * index)
      : data.writeUInt16BE(value, offset + 2 * index);
  if (!hasColors) write(photometric, 0, rgb);
  for (const [i, meaning] of (extras?.values ?? []).entries())
    if (meaning === extra.associated) write(extras!, i, extra.unspecified);
  return data;
}

/** Whether a TIFF stores one band after the other. */
export async function hasSeparateBands(file: string): Promise<boolean> {
  const planar = await fieldOf(file, tags.planarConfiguration);
  return planar?.values[0] === separate;
}

/**
 * Which of a TIFF's bands are declared to be opacities.
 *
 * @param bands how many it has
 * @returns their places, from 0
 */
export async function opacityBands(file: string, bands: number): Promise<number[]> {
  const extras = await fieldOf(file, tags.extraSamples);
  if (extras === null) return [];
  const first = bands - extras.values.length;
  return extras.values.flatMap((meaning, i) =>
    meaning === extra.associated || meaning === extra.unassociated ? [first + i] : [],
  );
}

/** The values of a tag of type SHORT in the first directory, and where the first of them stands. */
interface Field {
  readonly values: readonly number[];
  readonly offset: number;
  readonly isLittleEndian: boolean;
}

/** TIFF and BigTIFF; null for a tag that the file does not have. */
async function fieldOf(file: string, tag: number): Promise<Field | null> {
  const handle = await open(file);
  try {
    return await readField(handle, tag);
  } finally {
    await handle.close();
  }
}

async function readField(handle: FileHandle, tag: number): Promise<Field | null> {
  const head = await readAt(handle, 0, 16);
  const isLittleEndian = head.toString("latin1", 0, 2) === "II";
  const short = (data: Buffer, at: number) =>
    isLittleEndian ? data.readUInt16LE(at) : data.readUInt16BE(at);
  const long = (data: Buffer, at: number) => (isLittleEndian ? data.readUInt32LE(at) : data.readUInt32BE(at));
  const longer = (data: Buffer, at: number) =>
    Number(isLittleEndian ? data.readBigUInt64LE(at) : data.readBigUInt64BE(at));
  const isBig = short(head, 2) === 43;
  const address = isBig ? longer : long;
  const directory = isBig ? longer(head, 8) : long(head, 4);
  const count = isBig
    ? longer(await readAt(handle, directory, 8), 0)
    : short(await readAt(handle, directory, 2), 0);
  // An entry: tag, type, count of values, and the values themselves or where they stand.
  const [first, entryBytes, valueAt] = isBig ? [directory + 8, 20, 12] : [directory + 2, 12, 8];
  const entries = await readAt(handle, first, count * entryBytes);
  for (let at = 0; at < entries.length; at += entryBytes) {
    if (short(entries, at) !== tag || short(entries, at + 2) !== shortType) continue;
    const length = address(entries, at + 4);
    const isInside = 2 * length <= entryBytes - valueAt;
    const offset = isInside ? first + at + valueAt : address(entries, at + valueAt);
    const stored = await readAt(handle, offset, 2 * length);
    return { values: Array.from({ length }, (_, i) => short(stored, 2 * i)), offset, isLittleEndian };
  }
  return null;
}

/** A TIFF field of numbers of 16 bits. */
const shortType = 3;

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error(`the file ends after ${position + bytesRead} bytes`);
  return buffer;
}

async function readWhole(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const data = Buffer.allocUnsafe(size);
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(data, at, Math.min(pieceBytes, size - at), at);
      if (bytesRead === 0) throw new Error(`the file ends after ${at} of ${size} bytes`);
      at += bytesRead;
    }
    return data;
  } finally {
    await handle.close();
  }
}
