/** The fields of a TIFF picture that decide how its samples are to be read, and where they stand in the file. */
export interface TiffHeader {
  /** Values of a tag; undefined where the file does not have it. */
  readonly tag: (number: number) => readonly number[] | undefined;
  /** Where a tag's first value stands, if it is one number of 16 bits in the tag itself. */
  readonly place: (number: number) => number | undefined;
  readonly littleEndian: boolean;
  /** Pictures at full size in the file; smaller copies (pyramids) and transparency masks are left out. */
  readonly pages: number;
}

export const tags = {
  subfileType: 254,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  orientation: 274,
  samplesPerPixel: 277,
  colorMap: 320,
  sampleFormat: 339,
} as const;

interface Entry {
  readonly type: number;
  readonly count: number;
  /** Where the values stand. */
  readonly offset: number;
  readonly inline: boolean;
}

/** Bytes of a value by its type: BYTE, ASCII, SHORT, LONG; others are not read. */
const sizes: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4 };

/** More pictures than these in one file are a circle of references. */
const mostPages = 65536;

/**
 * Reads the header of a TIFF or BigTIFF file.
 *
 * @throws RangeError where the file ends before what it refers to
 */
export function readTiffHeader(bytes: Uint8Array): TiffHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = view.getUint16(0) === 0x4949;
  const big = view.getUint16(2, littleEndian) === 43;
  const address = (at: number) =>
    big ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);

  const read = (at: number): { entries: Map<number, Entry>; next: number } => {
    const count = big ? address(at) : view.getUint16(at, littleEndian);
    const [first, size, room] = big ? [at + 8, 20, 8] : [at + 2, 12, 4];
    const entries = new Map<number, Entry>();
    for (let i = 0; i < count; i++) {
      const place = first + i * size;
      const type = view.getUint16(place + 2, littleEndian);
      const values = address(place + 4);
      const slot = place + size - room;
      const inline = values * (sizes[type] ?? 8) <= room;
      entries.set(view.getUint16(place, littleEndian), {
        type,
        count: values,
        offset: inline ? slot : address(slot),
        inline,
      });
    }
    return { entries, next: address(first + count * size) };
  };
  const values = ({ type, count, offset }: Entry): number[] =>
    Array.from({ length: count }, (_, k) => {
      const at = offset + k * sizes[type]!;
      if (type === 4) return view.getUint32(at, littleEndian);
      return type === 3 ? view.getUint16(at, littleEndian) : view.getUint8(at);
    });
  const valuesOf = (entry: Entry | undefined) =>
    entry === undefined || !(entry.type in sizes) ? undefined : values(entry);

  const { entries, next } = read(address(big ? 8 : 4));
  let pages = 1;
  for (let at = next, seen = 1; at !== 0 && seen < mostPages; seen++) {
    const page = read(at);
    const [kind = 0] = valuesOf(page.entries.get(tags.subfileType)) ?? [];
    if ((kind & 0b101) === 0) pages++;
    at = page.next;
  }
  return {
    tag: (number) => valuesOf(entries.get(number)),
    place: (number) => {
      const entry = entries.get(number);
      return entry?.inline === true && entry.type === 3 && entry.count === 1 ? entry.offset : undefined;
    },
    littleEndian,
    pages,
  };
}
