import { constants } from "node:buffer";
import { stat } from "node:fs/promises";
import { SegfuseError } from "../errors.ts";
import { formatBytes } from "../util/bytes.ts";
import { fileFormat, type FileFormat } from "./bands_option.ts";
import type { RawImage } from "./contracts.ts";
import { decodeImage, type Places } from "./image_decode.ts";
import { otherBands, otherBits } from "./image_format.ts";
import { decideTurn, defaultExifMode, type ExifMode } from "./orientation.ts";
import { imageFailure, notRead } from "./image_failure.ts";
import { readFormats, readImageHeader, type ImageHeader } from "./image_header.ts";
import type { Extent } from "./resample.ts";
import type { SampleRemark } from "./sample_remarks.ts";
import { hasSeparateBands } from "./tiff_bands.ts";

export interface ReadImage extends RawImage {
  /** What is odd about the file and stops nothing. */
  readonly remarks: readonly SampleRemark[];
  /** What was decoded: its size as stored, its orientation, its bands. */
  readonly header: ImageHeader;
}

export interface ReadImageOptions {
  /** What an EXIF orientation means; default "apply". */
  readonly exif?: ExifMode;
  /** What the network takes; default: RGB of 8 bits. */
  readonly format?: FileFormat;
  /** The size of the image's mask, once it is known: an image that fits it turned or unturned alone is read so. */
  readonly maskSize?: () => Promise<Extent | null>;
}

/** Images of more pixels than these may not fit the memory: it is looked before they are decoded. */
const largePixels = 2 ** 26;

/**
 * Decodes a JPEG, PNG, WebP, TIFF, GIF or AVIF file to as many channels as the network takes; of an animation or a file
 * of pages the first is read.
 *
 * RGB of 8 bits is made as cv2 and PIL read training images: no colour profile is applied, alpha is dropped, grey becomes
 * RGB, of 16 bits the upper 8 are taken, CMYK becomes RGB by PIL's arithmetic. One channel of a picture in colours is
 * PIL's grey. Everything else are the file's own values, band by band; an opacity is left out where the network has no
 * place for it.
 *
 * @throws SegfuseError SEGFUSE_DATA_FILE where it is missing or cannot be opened, SEGFUSE_DATA_IMAGE where it cannot be
 *   decoded or is larger than the memory, SEGFUSE_DATA_BANDS where it has another number of bands or other values than
 *   the network takes, SEGFUSE_DATA_ORIENTATION where it is turned and the mode is "refuse"
 */
export async function readImage(file: string, options: ReadImageOptions = {}): Promise<ReadImage> {
  const { exif = defaultExifMode, format = fileFormat(), maskSize = () => Promise.resolve(null) } = options;
  const header = await readImageHeader(file).catch(async (cause: unknown) => {
    throw await imageFailure(file, cause);
  });
  await requireReadable(file, header);
  const places = placesOf(file, header, format);
  const mask = header.orientation === 1 ? null : await maskSize();
  const { turned, byMask } = decideTurn(file, header, exif, mask);
  await requireMemory(file, header, format, turned);
  const image = await decodeImage(file, header, format, places, turned).catch(async (cause: unknown) => {
    throw cause instanceof SegfuseError ? cause : await imageFailure(file, cause);
  });
  const remarks: SampleRemark[] = [];
  if (byMask) remarks.push(turned ? "turned_by_mask" : "unturned_by_mask");
  if (header.hasMore) remarks.push("first_of_many");
  if (format.bits === 8 && header.depth === "ushort") remarks.push("upper_bits");
  if (format.channels === 1 && format.bands === null && colorsOf(header) === 3)
    remarks.push("grey_of_colors");
  return { ...image, remarks, header };
}

/** @throws SegfuseError SEGFUSE_DATA_IMAGE where the file is in order and its pixels cannot become an image */
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

/** Bands that are no opacity; the inks of CMYK make three. */
function colorsOf({ colors, bands, opacities }: ImageHeader): number {
  return colors === "cmyk" ? 3 : bands - opacities.length;
}

/**
 * Which of the file's bands become the image.
 *
 * @throws SegfuseError SEGFUSE_DATA_BANDS where they do not fit the network
 */
function placesOf(file: string, header: ImageHeader, format: FileFormat): Places {
  const { bands, depth, opacities } = header;
  const { channels } = format;
  const isRgb = channels === 3 && format.bits === 8;
  const bits = depth === "ushort" ? 16 : 8;
  // Pictures of 16 bits have always been read as RGB of 8; bands that measure something would be spoiled by it.
  if (bits !== format.bits && !isRgb) throw otherBits(bits, format, file);
  if (header.colors === "cmyk") {
    const isPicture = format.bands === null && format.bits === 8 && (channels === 3 || channels === 1);
    if (!isPicture) throw otherBands("4 inks (CMYK), which are read as RGB of 8 bits", format, file);
    return null;
  }
  const found = opacities.length === 0 ? `${bands}` : `${bands}, of which ${opacities.length} an opacity`;
  if (format.bands !== null) {
    if (Math.max(...format.bands) > bands) throw otherBands(found, format, file);
    return format.bands.map((band) => band - 1);
  }
  const all = Array.from({ length: bands }, (_, place) => place);
  const colors = all.filter((place) => !opacities.includes(place));
  const isGrey = colors.length === 1;
  const isColored = colors.length === 3 && header.colors === "rgb";
  const areFirst = colors.every((place, i) => place === i);
  if (isRgb && areFirst && (isGrey || colors.length === 3)) return null;
  const isConverted = (isGrey && channels === 3) || (isColored && channels === 1);
  if (colors.length === channels || isConverted) return colors;
  if (bands === channels) return all;
  throw otherBands(found, format, file);
}

/** @throws SegfuseError SEGFUSE_DATA_IMAGE where the decoded image would not fit */
async function requireMemory(
  file: string,
  header: ImageHeader,
  { channels, bits }: FileFormat,
  turned: boolean,
): Promise<void> {
  const { width, height, colors, depth, bands } = header;
  const pixels = width * height;
  if (pixels <= largePixels) return;
  const decoded = (channels * bits * pixels) / 8;
  let needed = decoded;
  if (turned) needed += decoded; // all rows at once
  if (colors === "cmyk") needed += (depth === "ushort" ? 8 : 4) * pixels;
  if (colors === "bands") needed += (await stat(file)).size;
  if (channels !== 3) needed += ((bands * bits) / 8) * pixels; // all bands, of which the image's are taken
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
