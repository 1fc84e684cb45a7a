import { SegfuseError } from "../errors.ts";
import type { Extent } from "./resample.ts";

/** What is done with an image that a camera stored turned or mirrored, and says so in its EXIF orientation. */
export const exifModes = ["apply", "ignore", "refuse"] as const;
export type ExifMode = (typeof exifModes)[number];

/** As cv2.imread, and mmsegmentation with it, reads images. */
export const defaultExifMode: ExifMode = "apply";

/** An image as its file stores it. */
export interface StoredImage extends Extent {
  /** 1: upright; 2 to 8: mirrored or turned (TIFF 6.0, tag 274); from 5 on, height and width change places. */
  readonly orientation: number;
}

/** Height and width after the orientation is applied. */
export function turnedSize({ orientation, height, width }: StoredImage): Extent {
  return orientation >= 5 ? { height: width, width: height } : { height, width };
}

/** Whether an image is turned, and whether the mask's size overruled the mode. */
export interface Turn {
  readonly turned: boolean;
  /** The mask was evidently drawn on the image the other way: it fits that way alone. */
  readonly byMask: boolean;
}

/**
 * How an image is read. Where it fits its mask one way alone, that way, whatever the mode; where both ways fit (a
 * square, half a turn, a mirror) or none does, as the mode says.
 *
 * @param mask the mask's size, null where there is none
 * @throws SegfuseError SEGFUSE_DATA_ORIENTATION where the mode is "refuse" and the image is not upright
 */
export function decideTurn(file: string, image: StoredImage, mode: ExifMode, mask: Extent | null): Turn {
  if (image.orientation === 1) return { turned: false, byMask: false };
  if (mode === "refuse")
    throw new SegfuseError("SEGFUSE_DATA_ORIENTATION", "an image has an EXIF orientation, which is refused", {
      where: file,
      expected: "orientation 1 (upright) or none",
      found: `orientation ${image.orientation}`,
      advice:
        "exif: apply (turn it) or ignore (as stored) in the data set or predict's --exif; or turn the file itself",
    });
  const asked = mode === "apply";
  const fits = (turned: boolean) => sameSize(turned ? turnedSize(image) : image, mask!);
  const byMask = mask !== null && !fits(asked) && fits(!asked);
  return { turned: byMask ? !asked : asked, byMask };
}

export function sameSize(a: Extent, b: Extent): boolean {
  return a.height === b.height && a.width === b.width;
}
