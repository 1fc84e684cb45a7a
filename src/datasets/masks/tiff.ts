import sharp from "sharp";
import { keepChannels, refusedMask, wrongSamples, type RawMask, type Rgb } from "./raw_mask.ts";
import { readTiffHeader, tags, type TiffHeader } from "./tiff_header.ts";

/** Compressions that do not give back what was written. */
const lossy: Readonly<Record<number, string>> = {
  6: "JPEG",
  7: "JPEG",
  33003: "JPEG 2000",
  33005: "JPEG 2000",
  34712: "JPEG 2000",
  34892: "lossy JPEG",
  34933: "JPEG XR",
  50001: "WebP",
  50002: "JPEG XL",
};

/** None, CCITT (of one bit), LZW, Deflate by both its numbers, PackBits. */
const readable: readonly number[] = [1, 2, 3, 4, 5, 8, 32946, 32773];

const names: Readonly<Record<number, string>> = { 34925: "LZMA", 50000: "Zstandard", 34887: "LERC" };

const photometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3 } as const;

/**
 * A TIFF mask, index-exact: grey or palette at 1, 2, 4, 8 or 16 bits, or RGB at 8. Alpha is dropped; "white is zero" is
 * turned over, as PIL does.
 *
 * @throws SegfuseError SEGFUSE_DATA_MASK; errors of the decoder where the file is damaged
 */
export async function readTiffMask(bytes: Uint8Array, file: string): Promise<RawMask> {
  const header = readTiffHeader(bytes);
  const { depth, isColor, palette } = checkedSamples(header, file);
  const picture = palette === null ? bytes : withoutPalette(bytes, header);
  const wide = depth === 16;
  const { data, info } = await sharp(picture, {
    failOn: "error",
    ignoreIcc: true,
    autoOrient: false,
    limitInputPixels: false,
    unlimited: true,
  })
    .toColourspace(isColor ? "srgb" : wide ? "grey16" : "b-w")
    .raw({ depth: wide ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const size = { width, height };
  if (isColor) return { ...size, channels: 3, data: keepChannels(data, channels, 3) };
  const samples = keepChannels(
    wide ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data,
    channels,
    1,
  );
  // The decoder spreads grey of few bits over 0..255.
  if (depth < 8)
    for (let p = 0; p < samples.length; p++)
      samples[p] = Math.round((samples[p]! * ((1 << depth) - 1)) / 255);
  return { ...size, channels: 1, data: samples, ...(palette && { palette }) };
}

interface Samples {
  readonly depth: number;
  readonly isColor: boolean;
  readonly palette: Rgb[] | null;
}

/** What the file stores, if it could be labels. @throws SegfuseError SEGFUSE_DATA_MASK */
function checkedSamples(header: TiffHeader, file: string): Samples {
  const { tag, pages } = header;
  const [compression = 1] = tag(tags.compression) ?? [];
  const codec = lossy[compression];
  if (codec !== undefined)
    throw refusedMask(file, "a mask is compressed with loss", {
      expected: "a TIFF with LZW, Deflate, PackBits or no compression",
      found: `${codec} compression, which changes numbers at every edge between classes`,
      advice: "write the mask again from its source",
    });
  if (!readable.includes(compression))
    throw refusedMask(file, "a mask is compressed in a way that is not read", {
      expected: "a TIFF with LZW, Deflate, PackBits or no compression",
      found: names[compression] ?? `compression ${compression}`,
      advice: "gdal_translate -co COMPRESS=DEFLATE, or save the mask as PNG",
    });
  if (pages > 1)
    throw refusedMask(file, "a mask has several pages", {
      expected: "one picture in the file",
      found: `${pages} of them`,
      advice: "write each page to a file of its own",
    });
  const [orientation = 1] = tag(tags.orientation) ?? [];
  if (orientation !== 1)
    throw refusedMask(file, "a mask is stored turned or mirrored", {
      expected: "orientation 1 (upright)",
      found: `orientation ${orientation}`,
      advice: "write the mask as it is to be seen, without the tag",
    });
  const depths = tag(tags.bitsPerSample) ?? [1];
  const [depth] = depths as [number];
  const [meaning = photometric.blackIsZero] = tag(tags.photometric) ?? [];
  const formats = tag(tags.sampleFormat) ?? [1];
  const isColor = meaning === photometric.rgb;
  const kinds = ["unsigned", "signed", "floating-point", "untyped"];
  const [format = 1] = formats.filter((kind) => kind !== 1);
  const [samples = 1] = tag(tags.samplesPerPixel) ?? [];
  const isKnown = isColor || meaning <= photometric.palette;
  const fits = isColor ? depth === 8 && samples <= 4 : [1, 2, 4, 8, 16].includes(depth) && samples <= 2;
  if (!isKnown || !fits || format !== 1 || depths.some((bits) => bits !== depth)) {
    const channels = `${samples} channel${samples === 1 ? "" : "s"}`;
    throw wrongSamples(
      file,
      `${channels} of ${depth} bits (${kinds[format - 1] ?? "unknown"})${isKnown ? "" : `, of photometric interpretation ${meaning}`}`,
    );
  }
  return {
    depth,
    isColor,
    palette: meaning === photometric.palette ? paletteOf(tag(tags.colorMap) ?? []) : null,
  };
}

/** The colours of a TIFF's palette: all reds, all greens, all blues, of 16 bits (of 8 in some writers' files). */
function paletteOf(map: readonly number[]): Rgb[] {
  const count = map.length / 3;
  const shift = map.some((value) => value > 255) ? 8 : 0;
  return Array.from({ length: count }, (_, k): Rgb => [
    map[k]! >> shift,
    map[count + k]! >> shift,
    map[2 * count + k]! >> shift,
  ]);
}

/** The file with its indices declared grey values, which the decoder leaves as they are; it would paint them otherwise. */
function withoutPalette(bytes: Uint8Array, header: TiffHeader): Uint8Array {
  const place = header.place(tags.photometric);
  if (place === undefined) throw new Error("the photometric interpretation is not one number");
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint16(place, photometric.blackIsZero, header.littleEndian);
  return copy;
}
