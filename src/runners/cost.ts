import type { LoadedConfig, LoadedStudy } from "../config/index.ts";
import { costOf, type Convention, type Cost } from "../cost/index.ts";
import { buildSegmentor } from "../models/build.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../kinds.ts";
import { configClasses, usualIgnoreIndex } from "./classes.ts";

/** How a config's cost is counted. */
export interface CostSettings {
  /** [height, width] of the image, in pixels. */
  readonly size: readonly [number, number];
  readonly convention: Convention;
}

/** One row of a study. */
export interface RowCost extends Cost {
  readonly name: string;
}

/**
 * What a config's network costs. Reads no data: classes are `model.num_classes`, or what the data set's options
 * say; only a data set whose files alone know its classes must be there.
 *
 * @throws SegfuseError of a data set that cannot be opened, of parts that do not fit, of an operation that the
 *   trace does not know
 */
export async function configCost(
  loaded: LoadedConfig,
  registry: Registry,
  { size: [height, width], convention }: CostSettings,
): Promise<Cost> {
  const segmentor = await configNetwork(loaded, registry);
  return costOf(segmentor, { height, width, convention, inChannels: loaded.config.model.in_channels });
}

/** A config's network, without weights, for what needs no data. Throws as {@link configCost}. */
export async function configNetwork(loaded: LoadedConfig, registry: Registry): Promise<Segmentor> {
  const info = await datasetInfo(loaded, registry);
  return buildSegmentor(loaded.config.model, info, registry);
}

/** The cost of every row of a study, in the study's order. */
export async function studyCost(
  study: LoadedStudy,
  registry: Registry,
  settings: CostSettings,
): Promise<RowCost[]> {
  const rows: RowCost[] = [];
  for (const { name, loaded } of study.rows) {
    rows.push({ name, ...(await configCost(loaded, registry, settings)) });
  }
  return rows;
}

async function datasetInfo(
  loaded: LoadedConfig,
  registry: Registry,
): Promise<{ numClasses: number; ignoreIndex: number }> {
  const { num_classes: numClasses } = loaded.config.model;
  if (numClasses !== null) return { numClasses, ignoreIndex: usualIgnoreIndex(numClasses) };
  const { info } = await configClasses(loaded, registry);
  return { numClasses: info.classes.length, ignoreIndex: info.ignoreIndex };
}
