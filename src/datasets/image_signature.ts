/** What a file is by its first bytes, whatever its name says. */
export interface Signature {
  readonly name: string;
  /** Images of this format are read. */
  readonly isRead: boolean;
}

/** How many bytes of a file {@link signatureOf} looks at. */
export const signatureBytes = 512;

/** Bytes at an offset, each a character. */
type Magic = readonly [offset: number, bytes: string];

const read: readonly (readonly [name: string, ...Magic[]])[] = [
  ["JPEG", [0, "\xff\xd8\xff"]],
  ["PNG", [0, "\x89PNG\r\n\x1a\n"]],
  ["WebP", [8, "WEBP"]],
  ["GIF", [0, "GIF8"]],
  ["TIFF", [0, "II*\0"], [0, "MM\0*"], [0, "II+\0"], [0, "MM\0+"]],
  ["AVIF", [4, "ftypavif"], [4, "ftypavis"]],
];

const notRead: readonly (readonly [name: string, ...Magic[]])[] = [
  ["HEIC", [4, "ftyphe"], [4, "ftypmif1"], [4, "ftypmsf1"]],
  ["BMP", [0, "BM"]],
  ["JPEG 2000", [4, "jP  "], [0, "\xff\x4f\xff\x51"]],
  ["JPEG XL", [4, "JXL "], [0, "\xff\x0a"]],
  ["PNM", ...["P1", "P2", "P3", "P4", "P5", "P6", "P7"].map((bytes) => [0, `${bytes}\n`] as const)],
  ["Photoshop (PSD)", [0, "8BPS"]],
  ["OpenEXR", [0, "\x76\x2f\x31\x01"]],
  ["Radiance HDR", [0, "#?RADIANCE"]],
  ["FITS", [0, "SIMPLE  ="]],
  ["DICOM", [128, "DICM"]],
  ["NIfTI", [344, "n+1\0"], [344, "ni1\0"]],
  ["NumPy (.npy)", [0, "\x93NUMPY"]],
  ["HDF5", [0, "\x89HDF"]],
  ["PDF", [0, "%PDF-"]],
  ["SVG", [0, "<svg"]],
  ["ZIP", [0, "PK\x03\x04"]],
  ["gzip", [0, "\x1f\x8b"]],
];

/** null where the bytes belong to none of the formats that are known here. */
export function signatureOf(head: Uint8Array): Signature | null {
  const text = latin1(head);
  const named = (formats: typeof read) =>
    formats.find(([, ...magics]) => magics.some(([offset, bytes]) => text.startsWith(bytes, offset)))?.[0];
  for (const formats of [read, notRead]) {
    const name = named(formats);
    if (name !== undefined) return { name, isRead: formats === read };
  }
  return null;
}

/** What a text is that lies where an image should be; null where the bytes are no text. */
export function textInPlaceOf(head: Uint8Array): "page" | "lfs" | "text" | null {
  const text = latin1(head).trimStart();
  if (text.startsWith("version https://git-lfs")) return "lfs";
  if (/^<(!doctype html|html|head|body|\?xml|error|!--)/i.test(text)) return "page";
  return text !== "" && /^[\t\r\n -~]*$/.test(text) ? "text" : null;
}

/** One character a byte; a mark of UTF-8 at the start is left out. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, signatureBytes))
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "");
}
