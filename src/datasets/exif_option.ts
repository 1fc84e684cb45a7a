import { Type } from "typebox";
import { defaultExifMode } from "./orientation.ts";

/** The option `exif` of every data set whose images are files. Masks are never turned. */
export const exifOption = Type.Union(
  [Type.Literal("apply"), Type.Literal("ignore"), Type.Literal("refuse")],
  {
    default: defaultExifMode,
    description:
      "images with an EXIF orientation: apply turns them as it says (as cv2 and mmsegmentation do), ignore reads " +
      "them as they are stored, refuse is an error; masks are never turned",
  },
);
