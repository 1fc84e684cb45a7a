import sharp, { type Sharp } from "sharp";
import type { FileFormat } from "./bands_option.ts";
import type { RawImage } from "./contracts.ts";
import { fitImage, pickBands } from "./image_format.ts";
import { decoding, type ImageHeader } from "./image_header.ts";
import { asStored } from "./tiff_bands.ts";

/** Which stored bands become the image, by their places; null: the picture that they make, as RGB of 8 bits. */
export type Places = readonly number[] | null;

/**
 * An image's pixels, as the network takes them.
 *
 * @param turned whether its orientation is applied
 * @throws Error of the library; SegfuseError SEGFUSE_DATA_BANDS
 */
export async function decodeImage(
  file: string,
  header: ImageHeader,
  format: FileFormat,
  places: Places,
  turned: boolean,
): Promise<RawImage> {
  if (places === null) return fitImage(await decodePicture(file, header, turned), format, file);
  const picked = pickBands(await decodeStored(file, header, turned), places);
  return fitImage(format.bits === 8 ? upperBits(picked) : picked, format, file);
}

/** RGB of 8 bits, as cv2 and PIL read training images. */
async function decodePicture(file: string, header: ImageHeader, turned: boolean): Promise<RawImage> {
  const image = sharp(header.colors === "bands" ? await asStored(file, false) : file, {
    ...decoding,
    autoOrient: turned,
  });
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

/** Every band as it is stored: no colour is managed, no opacity is multiplied or divided. */
async function decodeStored(file: string, header: ImageHeader, turned: boolean): Promise<RawImage> {
  const { bands, format, depth, colors } = header;
  const isWide = depth === "ushort";
  const isGrey = bands <= 2;
  const source = format === "tiff" && bands > 2 ? await asStored(file, colors === "rgb") : file;
  // Of grey and opacity in bytes the library gives the grey alone, unless the grey becomes three bands.
  const isSpread = bands === 2 && !isWide;
  const space = isGrey && !isSpread ? (isWide ? "grey16" : "b-w") : isWide ? "rgb16" : "srgb";
  let image = sharp(source, { ...decoding, autoOrient: turned });
  if (!isSpread) image = image.pipelineColourspace(space);
  const { data: bytes, info } = await image
    .toColourspace(space)
    .raw({ depth: isWide ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  if (channels !== (isSpread ? 4 : bands)) throw new Error(`${channels} channels of ${bands} bands`);
  const data = isWide ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes;
  const stored = { height, width, channels, data };
  return isSpread ? pickBands(stored, [0, 3]) : stored;
}

function upperBits(image: RawImage): RawImage {
  const { data } = image;
  return data instanceof Uint16Array ? { ...image, data: Uint8Array.from(data, (v) => v >> 8) } : image;
}
