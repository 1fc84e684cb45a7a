import { SegfuseError } from "../errors.ts";
import type { ImageFormat, RawImage } from "./contracts.ts";

/** What a network takes unless its config says otherwise. */
export const rgbOfBytes: ImageFormat = { channels: 3, bits: 8 };

/** Shares of red, green and blue in grey (ITU-R BT.601), of 65536: those of Pillow's `convert("L")`. */
const luma = [19595, 38470, 7471] as const;

/**
 * An image as the network takes it: grey and RGB become each other (grey three times; 0.299 red + 0.587 green + 0.114
 * blue), any other image has to fit already.
 *
 * @param where the image's name, for errors
 * @throws SegfuseError SEGFUSE_DATA_BANDS where it has another number of channels, or values of another range
 */
export function fitImage(image: RawImage, wanted: ImageFormat, where: string): RawImage {
  const bits = 8 * image.data.BYTES_PER_ELEMENT;
  if (bits !== wanted.bits) throw otherBits(bits, wanted, where);
  if (image.channels === wanted.channels) return image;
  if (image.channels === 3 && wanted.channels === 1) return toGrey(image);
  if (image.channels === 1 && wanted.channels === 3) return greyToRgb(image);
  throw otherBands(`${image.channels}`, wanted, where);
}

/** RGB → grey, as Pillow makes it. */
export function toGrey({ height, width, data }: RawImage): RawImage {
  const grey = likeValues(data, height * width);
  const [red, green, blue] = luma;
  for (let p = 0, k = 0; p < grey.length; p++, k += 3)
    grey[p] = Math.floor((red * data[k]! + green * data[k + 1]! + blue * data[k + 2]! + 0x8000) / 0x10000);
  return { height, width, channels: 1, data: grey };
}

function greyToRgb({ height, width, data }: RawImage): RawImage {
  const rgb = likeValues(data, 3 * height * width);
  for (let p = 0; p < data.length; p++) rgb.fill(data[p]!, 3 * p, 3 * p + 3);
  return { height, width, channels: 3, data: rgb };
}

/**
 * Some bands of an image, in the order of the list.
 *
 * @param bands their places, from 0
 */
export function pickBands({ height, width, channels, data }: RawImage, bands: readonly number[]): RawImage {
  if (bands.length === channels && bands.every((band, i) => band === i))
    return { height, width, channels, data };
  const count = bands.length;
  const picked = likeValues(data, count * height * width);
  for (const [c, band] of bands.entries())
    for (let to = c, from = band; to < picked.length; to += count, from += channels) picked[to] = data[from]!;
  return { height, width, channels: count, data: picked };
}

function likeValues(data: RawImage["data"], length: number): RawImage["data"] {
  return data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);
}

/** @param found the image's bands, in words */
export function otherBands(found: string, { channels }: ImageFormat, where: string): SegfuseError {
  return new SegfuseError(
    "SEGFUSE_DATA_BANDS",
    "an image has another number of bands than the network takes",
    {
      where,
      expected: `${channels} (model.in_channels)`,
      found,
      advice:
        "model.in_channels, with as many numbers in model.preprocess.mean and std; " +
        "or data.dataset.bands, which names the bands that are meant: [1, 2, 3]",
    },
  );
}

/** @param bits the image's */
export function otherBits(bits: number, wanted: ImageFormat, where: string): SegfuseError {
  return new SegfuseError(
    "SEGFUSE_DATA_BANDS",
    "an image has values of another range than the network takes",
    {
      where,
      expected: `${wanted.bits} bits a channel (model.preprocess.bits)`,
      found: `${bits} bits`,
      advice:
        bits === 16
          ? "model.preprocess.bits: 16, with mean and std of the files' own values, which are 0 to 65535"
          : "model.preprocess.bits: 8 where all images are so, with mean and std of 0 to 255; or store all with 16 bits",
    },
  );
}
