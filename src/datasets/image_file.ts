import sharp from "sharp";
import { SegfuseError } from "../errors.ts";
import type { RawImage } from "./contracts.ts";

/**
 * Decodes a JPEG, PNG, WebP or TIFF file to RGB, 8 bits a channel.
 *
 * As cv2 and PIL read training images: no colour profile is applied, alpha is dropped, grey becomes RGB and
 * 16 bits become 8. An EXIF orientation is not applied, because a mask has none and would no longer fit.
 *
 * @throws SegfuseError SEGFUSE_DATA_FILE where it is missing, SEGFUSE_DATA_IMAGE where it is damaged or cut short
 */
export async function readImage(file: string): Promise<RawImage> {
  try {
    // "error" refuses files that are cut short or damaged, and lets mere warnings of the decoder pass.
    const { data, info } = await sharp(file, { failOn: "error", ignoreIcc: true, autoOrient: false })
      .removeAlpha()
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels after the conversion to RGB`);
    return { height: info.height, width: info.width, channels: 3, data };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().split("\n")[0]! : String(cause);
    if (reason.startsWith("Input file is missing"))
      throw new SegfuseError("SEGFUSE_DATA_FILE", "an image is missing", { where: file, cause });
    throw new SegfuseError("SEGFUSE_DATA_IMAGE", "an image cannot be decoded", {
      where: file,
      expected: "a whole JPEG, PNG, WebP or TIFF file",
      found: reason.replace(`${file}: `, ""),
      advice: "fetch the file again or take it out of the split",
      cause,
    });
  }
}
