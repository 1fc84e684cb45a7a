import { SegfuseError, type ErrorDetails } from "../../errors.ts";

export type Rgb = readonly [red: number, green: number, blue: number];

/** What a mask file stores, row by row: one number a pixel (grey value or palette index), or three of a colour. */
export interface RawMask {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** [height, width, channels]; 16 bits with one channel alone. */
  readonly data: Uint8Array | Uint16Array;
  /** The colours that the numbers stand for in the file, where it has a palette. */
  readonly palette?: readonly Rgb[];
}

/** A mask that can be read but whose values could be no labels. */
export function refusedMask(
  file: string,
  message: string,
  details: Omit<ErrorDetails, "where"> & { found: string },
): SegfuseError {
  return new SegfuseError("SEGFUSE_DATA_MASK", message, { where: file, ...details });
}

/** As {@link refusedMask}, of masks with samples that are neither numbers of 16 bits nor colours of 8. */
export function wrongSamples(file: string, found: string): SegfuseError {
  return refusedMask(file, "a mask does not hold class numbers or colours", {
    expected: "one channel (grey or palette) of at most 16 bits, or colours of 8 bits a channel",
    found,
    advice: "save the mask as a PNG of unsigned numbers with 8 or 16 bits",
  });
}

/**
 * The first `kept` of `channels` samples of each pixel: an alpha channel says nothing of classes.
 *
 * @param data [pixels, channels]
 */
export function keepChannels<T extends Uint8Array | Uint16Array>(data: T, channels: number, kept: 1 | 3): T {
  if (channels === kept) return data;
  const pixels = data.length / channels;
  const out = (
    data instanceof Uint16Array ? new Uint16Array(pixels * kept) : new Uint8Array(pixels * kept)
  ) as T;
  for (let p = 0; p < pixels; p++) for (let c = 0; c < kept; c++) out[p * kept + c] = data[p * channels + c]!;
  return out;
}
