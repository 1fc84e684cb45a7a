import type { Config } from "../config/sections.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { storedValues } from "../datasets/label_table.ts";
import type { Logger } from "../util/logger.ts";
import { classesOf } from "../weights/metadata.ts";
import type { Metadata } from "../weights/safetensors.ts";
import { numberedClasses } from "./classes.ts";

/**
 * The classes that a weight file names, with their colours and the ignored label; null where it names none. Colours
 * that it does not have, or that nobody can read, are made up: they decide nothing.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where there are names that cannot be read
 */
export function storedClasses(metadata: Metadata, file: string): DatasetInfo | null {
  const classes = classesOf(metadata, file);
  if (classes === null) return null;
  const { palette, ignoreIndex } = numberedClasses(classes.length);
  const stored = parsed(metadata.palette);
  const ignored = Number(metadata.ignore_index);
  return {
    classes,
    palette: isPalette(stored) && stored.length === classes.length ? stored : palette,
    ignoreIndex: Number.isInteger(ignored) && ignored >= 0 && ignored < storedValues ? ignored : ignoreIndex,
  };
}

/** Says so where a network is given images of other means and deviations than it was trained with. */
export function comparePreprocess(metadata: Metadata, file: string, config: Config, logger: Logger): void {
  const { mean, std, bits } = config.model.preprocess;
  const trained = parsed(metadata.preprocess) as Partial<Config["model"]["preprocess"]> | null;
  if (trained?.mean === undefined || trained.std === undefined) return;
  const isSame = String([trained.mean, trained.std, trained.bits ?? 8]) === String([mean, std, bits]);
  if (isSame) return;
  logger.warn(
    `${file} was trained with model.preprocess ${shown(trained)}, and the config says ${shown({ mean, std, bits })}: ` +
      "images are made as the config says",
  );
}

function shown({ mean, std, bits = 8 }: Readonly<Record<string, unknown>>): string {
  const of = bits === 8 ? "" : `, bits ${JSON.stringify(bits)}`;
  return `mean ${JSON.stringify(mean)}, std ${JSON.stringify(std)}${of}`;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? null : (JSON.parse(text) as unknown);
  } catch {
    return null;
  }
}

function isPalette(value: unknown): value is DatasetInfo["palette"] {
  const isByte = (v: unknown) => Number.isInteger(v) && (v as number) >= 0 && (v as number) <= 255;
  const isColour = (c: unknown) => Array.isArray(c) && c.length === 3 && c.every(isByte);
  return Array.isArray(value) && value.every(isColour);
}
