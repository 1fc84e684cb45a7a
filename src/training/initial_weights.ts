import { findCheckpoint, sha256Of } from "../checkpoints/folder.ts";
import type { Config } from "../config/sections.ts";
import type { Registry } from "../kinds.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { materialise } from "../nn/materialise.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Logger } from "../util/logger.ts";
import { describeLoad, loadWeights, type LoadReport } from "../weights/load.ts";

/** What the optimiser trains, by name. */
export function trainableParameters(segmentor: Segmentor): Map<string, Parameter> {
  return new Map([...segmentor.namedParameters()].filter(([, parameter]) => parameter.trainable));
}

/** Where a network's first weights came from. */
export interface InitialWeights {
  /** Each file that was read, in order; a later one overwrites what an earlier one gave. */
  readonly sources: readonly LoadReport[];
  /** Names that no file gave: the initialiser did. */
  readonly fresh: readonly string[];
  /** SHA-256 (hexadecimal) of each of the files. */
  readonly sha256: readonly string[];
}

/**
 * Gives a network its first weights: the backbone's own file (`pretrained`), then the checkpoint `initFrom`, then
 * fresh values from `seed` for what is left.
 *
 * @throws SegfuseError of a file that is missing, broken or does not fit; a missing file, or one of which nothing
 * fits, never means a fresh start
 */
export async function initialiseWeights(
  segmentor: Segmentor,
  options: {
    readonly seed: number;
    readonly pretrained: string | null;
    readonly initFrom: string | null;
    readonly allowFresh: readonly string[];
    /** The state dicts that are meant in files that have several. */
    readonly pretrainedKey: string | null;
    readonly initKey: string | null;
    /** The least share (0..1) of the network's tensors that `initFrom` gives, and `pretrained` of the backbone's. */
    readonly minLoaded: number;
    readonly logger: Logger;
  },
): Promise<InitialWeights> {
  const { pretrained, initFrom, pretrainedKey, initKey, allowFresh, minLoaded, logger } = options;
  const sources: LoadReport[] = [];
  if (pretrained !== null) {
    const load = { prefix: "backbone", allowFresh, minLoaded, key: pretrainedKey, adaptsInput: true };
    sources.push(await loadWeights(segmentor.backbone, pretrained, load));
  }
  if (initFrom !== null) {
    const { weights } = await findCheckpoint(initFrom, "last");
    const load = { allowFresh, minLoaded, key: initKey, adaptsInput: true };
    sources.push(await loadWeights(segmentor, weights, load));
  }
  for (const report of sources) {
    logger.info(describeLoad(report));
    tellNotes(report, logger);
  }
  if (sources.length === 0) logger.info(`weights: all fresh (seed ${options.seed})`);
  materialise(segmentor, options.seed);
  const loaded = new Set(sources.flatMap((report) => report.loaded));
  const names = [...segmentor.namedParameters()].map(([name]) => name);
  const sha256 = await Promise.all(sources.map(({ file }) => sha256Of(file)));
  return { sources, fresh: names.filter((name) => !loaded.has(name)), sha256 };
}

/** Logs what reading a file had to say. */
export function tellNotes({ file, notes }: LoadReport, logger: Logger): void {
  for (const note of notes) logger.info(`${file}: ${note}`);
}

/** The files that a config's network starts from, as {@link initialiseWeights} takes them. */
export function startOf(config: Config, registry: Registry) {
  return {
    ...pretrainedOf(config, registry),
    initFrom: config.init_from,
    initKey: config.init_key,
    minLoaded: config.min_loaded,
  };
}

/** The weight file that the backbone starts from, by the options that its record says; null for none. */
export function pretrainedOf(
  { model: { backbone } }: Config,
  registry: Registry,
): { readonly pretrained: string | null; readonly pretrainedKey: string | null } {
  const names = registry.get("backbone", backbone.type).pretrained;
  const text = (name: string | undefined) => {
    const value = name === undefined ? null : backbone[name];
    return typeof value === "string" ? value : null;
  };
  return { pretrained: text(names?.file), pretrainedKey: text(names?.key) };
}
