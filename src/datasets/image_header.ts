import { open } from "node:fs/promises";
import sharp, { type Metadata, type SharpOptions } from "sharp";
import type { StoredImage } from "./orientation.ts";
import { opacityBands } from "./tiff_bands.ts";

/** What an image file says of itself before its pixels are decoded. */
export interface ImageHeader extends StoredImage {
  /** Of the formats in {@link readFormats}, or another that the library knows and that is not read. */
  readonly format: string;
  /** grey: one band, or one and an opacity; rgb; cmyk; bands: several without a colour, as satellites have them. */
  readonly colors: "grey" | "rgb" | "cmyk" | "bands";
  /** All of them, opacity included. */
  readonly bands: number;
  /** Places, from 0, of bands that are declared to be opacities. */
  readonly opacities: readonly number[];
  /** The type of a band's value: `uchar` and `ushort` are read, 8 and 16 bits without a sign. */
  readonly depth: string;
  /** There are more frames (GIF, WebP, APNG) or pages (TIFF) than the first one. */
  readonly hasMore: boolean;
}

/** The formats that are read, as sharp calls them. */
export const readFormats: readonly string[] = ["jpeg", "png", "webp", "tiff", "gif", "heif"];

/**
 * Settings of every decoding: files that are cut short or damaged are errors while mere warnings of the decoder pass;
 * colour profiles are not applied. The library's limits of pixels, bands and its decoders' memory are meant for pictures
 * of strangers; what a machine has room for is looked at by ourselves.
 */
export const decoding = {
  failOn: "error",
  ignoreIcc: true,
  limitInputPixels: false,
  limitInputChannels: false,
  unlimited: true,
} as const satisfies SharpOptions;

/** Reads the header alone. Errors are the library's own. */
export async function readImageHeader(file: string): Promise<ImageHeader> {
  const {
    width,
    height,
    orientation = 1,
    format,
    space,
    channels,
    depth,
    hasAlpha,
    pages = 1,
  } = await sharp(file, decoding).metadata();
  const colors = colorsOf(space, channels);
  return {
    width,
    height,
    orientation,
    format,
    colors,
    bands: channels,
    opacities: await opacitiesOf(file, { format, colors, bands: channels, hasAlpha }),
    depth,
    hasMore: pages > 1 || (format === "png" && (await isAnimatedPng(file))),
  };
}

function colorsOf(space: Metadata["space"], bands: number): ImageHeader["colors"] {
  if (space === "cmyk") return "cmyk";
  const isGrey = space === "b-w" || space === "grey16";
  if (isGrey) return bands > 2 ? "bands" : "grey";
  return "rgb";
}

/** Of a TIFF its own word; the library calls every band behind the colours an opacity. */
async function opacitiesOf(
  file: string,
  image: Pick<ImageHeader, "format" | "colors" | "bands"> & { readonly hasAlpha: boolean },
): Promise<number[]> {
  const { format, colors, bands } = image;
  if (!image.hasAlpha || colors === "cmyk") return [];
  return format === "tiff" ? opacityBands(file, bands) : [bands - 1];
}

/** APNG: the chunk `acTL` before the first pixels. Others show the first picture alone, and so does the library. */
async function isAnimatedPng(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    const head = buffer.subarray(0, bytesRead);
    const [animation, pixels] = [head.indexOf("acTL"), head.indexOf("IDAT")];
    return animation > 0 && (pixels < 0 || animation < pixels);
  } finally {
    await handle.close();
  }
}
