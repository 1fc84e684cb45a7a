import { open } from "node:fs/promises";

/** Numbers of TIFF tags (TIFF 6.0, section 8). */
const tags = { photometric: 262, planarConfiguration: 284 } as const;

/** PhotometricInterpretation of red, green and blue. */
const rgb = 2;
/** PlanarConfiguration of bands that lie one after the other. */
const separate = 2;

/** The most that is read of a file at once: Node reads no more than 2 GiB. */
const pieceBytes = 2 ** 30;

/**
 * A TIFF of three or more bands without a colour, its bytes in memory, with the first three declared to be red, green
 * and blue. libvips takes such bands for a grey image with many opacities, and of files that store one band after the
 * other it then reads rows from wrong places.
 */
export async function declareRgb(file: string): Promise<Buffer> {
  const data = await readWhole(file);
  const entry = findShort(data, tags.photometric);
  if (entry === null) throw new Error("the TIFF names no PhotometricInterpretation");
  if (entry.isLittleEndian) data.writeUInt16LE(rgb, entry.offset);
  else data.writeUInt16BE(rgb, entry.offset);
  return data;
}

/** Whether a TIFF stores one band after the other. */
export async function hasSeparateBands(file: string): Promise<boolean> {
  return findShort(await readWhole(file), tags.planarConfiguration)?.value === separate;
}

/** The value of a tag of type SHORT in the first directory, and where it stands; TIFF and BigTIFF. */
function findShort(
  data: Buffer,
  tag: number,
): { readonly value: number; readonly offset: number; readonly isLittleEndian: boolean } | null {
  const isLittleEndian = data.toString("latin1", 0, 2) === "II";
  const short = (at: number) => (isLittleEndian ? data.readUInt16LE(at) : data.readUInt16BE(at));
  const long = (at: number) => (isLittleEndian ? data.readUInt32LE(at) : data.readUInt32BE(at));
  const longer = (at: number) => Number(isLittleEndian ? data.readBigUInt64LE(at) : data.readBigUInt64BE(at));
  const isBig = short(2) === 43;
  const directory = isBig ? longer(8) : long(4);
  const [count, first] = isBig ? [longer(directory), directory + 8] : [short(directory), directory + 2];
  // An entry: tag, type, count of values, and the value itself where it is as short as here.
  const [entryBytes, valueAt] = isBig ? [20, 12] : [12, 8];
  for (let i = 0; i < count; i++) {
    const entry = first + i * entryBytes;
    if (short(entry) === tag)
      return { value: short(entry + valueAt), offset: entry + valueAt, isLittleEndian };
  }
  return null;
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
