import { ConfigError, type Complaint } from "../config/complaint.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { classColor } from "../datasets/folder.ts";
import { openDataset } from "../datasets/loader.ts";
import { SegfuseError } from "../errors.ts";
import type { Registry } from "../kinds.ts";

/** The classes of a network, as far as they are known without reading an image. */
export interface NetworkClasses {
  readonly info: DatasetInfo;
  /** Why `model.num_classes` alone says how many there are, with names and colours made up; null where they are known. */
  readonly unnamed: SegfuseError | null;
}

const needed =
  "--set model.num_classes=N: this command needs no more of the data than how many classes it has";

/**
 * A config's classes, for commands that read no data: what the data set's options say, else what its files say, else
 * `model.num_classes`. Only a data set whose files alone know its classes has to be there, and only where
 * `model.num_classes` is not set.
 *
 * @throws SegfuseError `SEGFUSE_CONFIG_ENV` or `SEGFUSE_DATA_…` where none of them says it; it names `model.num_classes`
 */
export async function configClasses(loaded: LoadedConfig, registry: Registry): Promise<NetworkClasses> {
  const { model, data } = loaded.config;
  const described = registry.get("dataset", data.dataset.type).info?.(data.dataset);
  if (described !== undefined) return { info: described, unnamed: null };
  try {
    requireDataset(loaded);
    return { info: (await openDataset(loaded.config, "train")).info, unnamed: null };
  } catch (error) {
    if (!isAbsence(error)) throw error;
    if (model.num_classes === null) throw withWayOut(error);
    return { info: numberedClasses(model.num_classes), unnamed: error };
  }
}

/** Classes that are known by their numbers alone; each has a colour of its own. */
export function numberedClasses(count: number): DatasetInfo {
  const numbers = Array.from({ length: count }, (_, c) => c);
  return {
    classes: numbers.map((c) => `class ${c}`),
    palette: numbers.map(classColor),
    ignoreIndex: usualIgnoreIndex(count),
  };
}

/** The label of pixels that count nowhere where nothing says which: the largest of 8 bits, or of 16. */
export function usualIgnoreIndex(classes: number): number {
  return classes > 255 ? 65_535 : 255;
}

/** @throws ConfigError where the data set's options refer to variables that are not set */
function requireDataset({ unset }: LoadedConfig): void {
  const complaints = unset
    .map(({ complaint }) => complaint)
    .filter(({ path: [section, key] }) => section === "data" && key === "dataset");
  if (complaints.length > 0) throw new ConfigError(complaints);
}

/** The data set is not there, as opposed to: something in it or in segfuse is wrong. */
function isAbsence(error: unknown): error is SegfuseError {
  return (
    error instanceof ConfigError || (error instanceof SegfuseError && error.code.startsWith("SEGFUSE_DATA_"))
  );
}

function withWayOut(error: SegfuseError): SegfuseError {
  if (error instanceof ConfigError) {
    return new ConfigError(error.complaints.map((c): Complaint => ({ ...c, advice: orNeeded(c.advice) })));
  }
  const { code, message, details } = error;
  return new SegfuseError(code, message, { ...details, advice: orNeeded(details.advice), cause: error });
}

function orNeeded(advice: string | undefined): string {
  return advice === undefined ? needed : `${advice}; or ${needed}`;
}
