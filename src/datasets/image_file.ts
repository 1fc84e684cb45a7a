import { constants } from "node:buffer";
import { stat } from "node:fs/promises";
import sharp, { type Sharp } from "sharp";
import { SegfuseError } from "../errors.ts";
import { formatBytes } from "../util/bytes.ts";
import type { RawImage } from "./contracts.ts";
import { decideTurn, defaultExifMode, type ExifMode } from "./orientation.ts";
import { imageFailure, notRead } from "./image_failure.ts";
import { decoding, readFormats, readImageHeader, type ImageHeader } from "./image_header.ts";
import type { Extent } from "./resample.ts";
import type { SampleRemark } from "./sample_remarks.ts";
import { declareRgb, hasSeparateBands } from "./tiff_bands.ts";

export interface ReadImage extends RawImage {
  /** What is odd about the file and stops nothing. */
  readonly remarks: readonly SampleRemark[];
  /** What was decoded: its size as stored, its orientation, its bands. */
  readonly header: ImageHeader;
}

/** Images of more pixels than these may not fit the memory: it is looked before they are decoded. */
const largePixels = 2 ** 26;

/**
 * Decodes a JPEG, PNG, WebP, TIFF, GIF or AVIF file to RGB, 8 bits a channel, as cv2 and PIL read training images: no
 * colour profile is applied, alpha is dropped, grey becomes RGB, of 16 bits the upper 8 are taken, CMYK becomes RGB by
 * PIL's arithmetic. Of an animation or a file of pages the first is read; of many bands without a colour the first
 * three, as red, green and blue.
 *
 * @param mode what an EXIF orientation means; default "apply"
 * @param maskSize the size of the image's mask, once it is known: an image that fits it turned or unturned alone is read so
 * @throws SegfuseError SEGFUSE_DATA_FILE where it is missing or cannot be opened, SEGFUSE_DATA_IMAGE where it cannot be
 *   decoded or is larger than the memory, SEGFUSE_DATA_ORIENTATION where it is turned and the mode is "refuse"
 */
export async function readImage(
  file: string,
  mode: ExifMode = defaultExifMode,
  maskSize: () => Promise<Extent | null> = () => Promise.resolve(null),
): Promise<ReadImage> {
  const header = await readImageHeader(file).catch(async (cause: unknown) => {
    throw await imageFailure(file, cause);
  });
  await requireReadable(file, header);
  const mask = header.orientation === 1 ? null : await maskSize();
  const { turned, byMask } = decideTurn(file, header, mode, mask);
  await requireMemory(file, header, turned);
  const image = await decode(file, header, turned).catch(async (cause: unknown) => {
    throw await imageFailure(file, cause);
  });
  const remarks: SampleRemark[] = [];
  if (byMask) remarks.push(turned ? "turned_by_mask" : "unturned_by_mask");
  if (header.hasMore) remarks.push("first_of_many");
  if (header.colors === "bands") remarks.push("first_bands");
  return { ...image, remarks, header };
}

/** @throws SegfuseError SEGFUSE_DATA_IMAGE where the file is in order and its pixels cannot become RGB */
async function requireReadable(file: string, { format, depth, colors, bands }: ImageHeader): Promise<void> {
  if (!readFormats.includes(format)) throw notRead(file, format.toUpperCase());
  if (depth !== "uchar" && depth !== "ushort")
    throw new SegfuseError("SEGFUSE_DATA_IMAGE", "an image's values have no range that is known", {
      where: file,
      expected: "8 or 16 bits a channel, without a sign",
      found: `values of type ${depth}`,
      advice: "store them as 0..255 or 0..65535: which value is black and which is white is not in the file",
    });
  if (format === "tiff" && colors === "grey" && bands === 2 && (await hasSeparateBands(file)))
    throw new SegfuseError("SEGFUSE_DATA_IMAGE", "a TIFF stores grey and opacity one after the other", {
      where: file,
      expected: "bands that are interleaved (PlanarConfiguration 1)",
      found: "PlanarConfiguration 2, which libvips reads wrong for two bands",
      advice: "store them interleaved: gdal_translate -co INTERLEAVE=PIXEL, or as PNG",
    });
}

/** @throws SegfuseError SEGFUSE_DATA_IMAGE where the decoded image would not fit */
async function requireMemory(file: string, header: ImageHeader, turned: boolean): Promise<void> {
  const { width, height, colors, depth } = header;
  const pixels = width * height;
  if (pixels <= largePixels) return;
  const decoded = 3 * pixels;
  let needed = decoded;
  if (turned) needed += decoded; // all rows at once
  if (colors === "cmyk") needed += (depth === "ushort" ? 8 : 4) * pixels;
  if (colors === "bands") needed += (await stat(file)).size;
  const refuse = (expected: string) =>
    new SegfuseError("SEGFUSE_DATA_IMAGE", "an image is larger than there is room for", {
      where: file,
      expected,
      found: `${width}x${height} pixels (width x height): ${formatBytes(needed)} to decode it`,
      advice: "cut it into tiles, with its mask",
    });
  if (decoded > constants.MAX_LENGTH)
    throw refuse(
      `at most ${formatBytes(constants.MAX_LENGTH)}: Node ${process.version} holds no more in one piece`,
    );
  const available = process.availableMemory();
  if (needed > available) throw refuse(`at most ${formatBytes(available)}: no more memory is free`);
}

async function decode(file: string, header: ImageHeader, turned: boolean): Promise<RawImage> {
  const source = header.colors === "bands" ? await declareRgb(file) : file;
  const image = sharp(source, { ...decoding, autoOrient: turned });
  if (header.colors === "cmyk") return decodeCmyk(image, header.depth === "ushort");
  const { data, info } = await image
    .removeAlpha()
    .toColourspace("srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels after the conversion to RGB`);
  return { height: info.height, width: info.width, channels: 3, data };
}

/** As PIL's `convert("RGB")`: plain arithmetic, no ink's profile. What comes behind the four inks is left out. */
async function decodeCmyk(image: Sharp, is16: boolean): Promise<RawImage> {
  const { data: bytes, info } = await image
    .pipelineColourspace("cmyk") // else the library converts by an ink's profile of its own
    .toColourspace("cmyk")
    .raw({ depth: is16 ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  const inks = is16 ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
  const shift = is16 ? 8 : 0;
  const data = new Uint8Array(3 * height * width);
  for (let i = 0, o = 0; o < data.length; i += channels, o += 3) {
    const light = 255 - (inks[i + 3]! >> shift);
    for (let c = 0; c < 3; c++) data[o + c] = Math.round((light * (255 - (inks[i + c]! >> shift))) / 255);
  }
  return { height, width, channels: 3, data };
}
