import type { DatasetInfo } from "../datasets/contracts.ts";
import { SegfuseError } from "../errors.ts";
import type { Metadata } from "./safetensors.ts";

/** What a weight file says of the network in it, so that it can be used without the data set at hand. */
export interface ModelMetadata {
  /** Null where the classes have no names. */
  readonly info: DatasetInfo | null;
  /** Mean and standard deviation by channel, of values of so many bits (8: 0..255). */
  readonly preprocess: {
    readonly mean: readonly number[];
    readonly std: readonly number[];
    readonly bits?: 8 | 16;
  };
  /** segfuse's version. */
  readonly version: string;
  /** Updates that the weights have seen. */
  readonly iteration: number;
  readonly configHash: string;
}

/** As the strings of a safetensors header: lists as JSON; `format: pt` says that names and order are PyTorch's. */
export function toMetadata(model: ModelMetadata): Metadata {
  return {
    format: "pt",
    segfuse_version: model.version,
    ...(model.info === null ? {} : named(model.info)),
    preprocess: preprocessText(model.preprocess),
    iteration: String(model.iteration),
    config_hash: model.configHash,
  };
}

/** As ever where values have 8 bits: weight files of then and now are the same. */
function preprocessText({ mean, std, bits = 8 }: ModelMetadata["preprocess"]): string {
  return JSON.stringify(bits === 8 ? { mean, std } : { mean, std, bits });
}

function named({ classes, palette, ignoreIndex }: DatasetInfo): Metadata {
  return {
    classes: JSON.stringify(classes),
    palette: JSON.stringify(palette),
    ignore_index: String(ignoreIndex),
  };
}

/** The class names of a weight file; null where it does not say (a file of another tool). */
export function classesOf(metadata: Metadata, file: string): string[] | null {
  if (metadata.classes === undefined) return null;
  try {
    const classes: unknown = JSON.parse(metadata.classes);
    if (Array.isArray(classes) && classes.every((name) => typeof name === "string")) return classes;
  } catch {
    // told below
  }
  throw new SegfuseError("SEGFUSE_WEIGHTS_FILE", "the class names in a weight file cannot be read", {
    where: file,
    found: metadata.classes,
  });
}
