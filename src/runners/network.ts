import type { Config } from "../config/sections.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { SegfuseError } from "../errors.ts";
import { buildSegmentor } from "../models/build.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { materialise } from "../nn/materialise.ts";
import type { Parameter } from "../nn/parameter.ts";
import type { Registry } from "../kinds.ts";
import type { Logger } from "../util/logger.ts";
import { describeLoad, loadWeights, type LoadReport } from "../weights/load.ts";
import { findCheckpoint, sha256Of } from "./checkpoints.ts";

/**
 * The network of a config for a data set's classes, without values yet.
 *
 * @throws SegfuseError `SEGFUSE_PREFLIGHT` where `model.num_classes` is set and the data set has another number
 */
export function networkFor(config: Config, info: DatasetInfo, registry: Registry): Segmentor {
  const numClasses = info.classes.length;
  const wanted = config.model.num_classes;
  if (wanted !== null && wanted !== numClasses) {
    throw new SegfuseError(
      "SEGFUSE_PREFLIGHT",
      "the network and the data set have different numbers of classes",
      {
        where: "model.num_classes",
        expected: `${numClasses}, the classes of data.dataset: ${info.classes.join(", ")}`,
        found: String(wanted),
        advice: "leave model.num_classes out: it follows the data set",
      },
    );
  }
  return buildSegmentor(config.model, { numClasses, ignoreIndex: info.ignoreIndex }, registry);
}

/** What the optimiser trains, by name. */
export function trainableParameters(segmentor: Segmentor): Map<string, Parameter> {
  return new Map([...segmentor.namedParameters()].filter(([, parameter]) => parameter.trainable));
}

/** Numbers that are trained, frozen ones included, running statistics and auxiliary heads left out. */
export function countParameters(segmentor: Segmentor): number {
  let count = 0;
  for (const [name, { role, size }] of segmentor.namedParameters()) {
    if (!role.startsWith("running_") && !name.startsWith("auxiliary_head.")) count += size;
  }
  return count;
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
 * Gives a network its first weights: the backbone's `pretrained` file, then the checkpoint `initFrom`, then
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
    const load = { prefix: "backbone", allowFresh, minLoaded, key: pretrainedKey };
    sources.push(await loadWeights(segmentor.backbone, pretrained, load));
  }
  if (initFrom !== null) {
    const { weights } = await findCheckpoint(initFrom, "last");
    sources.push(await loadWeights(segmentor, weights, { allowFresh, minLoaded, key: initKey }));
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

/**
 * Gives a network all weights of a checkpoint but the auxiliary heads', which inference does not need.
 *
 * @param key the state dict that is meant in a PyTorch file that has several
 * @throws SegfuseError of a file that is missing, broken or does not fit
 */
export async function loadForInference(
  segmentor: Segmentor,
  weights: string,
  { key, logger }: { readonly key: string | undefined; readonly logger: Logger },
): Promise<LoadReport> {
  const report = await loadWeights(segmentor, weights, { complete: true, except: ["auxiliary_head.*"], key });
  tellNotes(report, logger);
  return report;
}

function tellNotes({ file, notes }: LoadReport, logger: Logger): void {
  for (const note of notes) logger.info(`${file}: ${note}`);
}

/** `pretrained` and `init_from` of a config, as {@link initialiseWeights} takes them. */
export function startOf(config: Config) {
  const { pretrained_key: key } = config.model.backbone;
  return {
    pretrained: pretrainedFile(config),
    pretrainedKey: typeof key === "string" ? key : null,
    initFrom: config.init_from,
    initKey: config.init_key,
    minLoaded: config.min_loaded,
  };
}

/** The backbone's weight file, null for none. Every backbone that can be pretrained has this option. */
export function pretrainedFile(config: Config): string | null {
  const { pretrained } = config.model.backbone;
  return typeof pretrained === "string" ? pretrained : null;
}
