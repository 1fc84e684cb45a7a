import type { TransformRecord } from "../contracts.ts";
import colorJitter from "./color_jitter.ts";
import randomCrop from "./random_crop.ts";
import randomFlip from "./random_flip.ts";
import randomScale from "./random_scale.ts";
import resize from "./resize.ts";

/** The transforms that come with segfuse. */
export const transforms: readonly TransformRecord[] = [
  randomScale,
  resize,
  randomCrop,
  randomFlip,
  colorJitter,
];
