import type { Config } from "../config/sections.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { SegfuseError } from "../errors.ts";
import { buildSegmentor } from "../models/build.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../kinds.ts";
import { tellNotes } from "../training/initial_weights.ts";
import type { Logger } from "../util/logger.ts";
import { loadWeights, type LoadReport } from "../weights/load.ts";

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

/** Numbers that are trained, frozen ones included, running statistics and auxiliary heads left out. */
export function countParameters(segmentor: Segmentor): number {
  let count = 0;
  for (const [name, { role, size }] of segmentor.namedParameters()) {
    if (!role.startsWith("running_") && !name.startsWith("auxiliary_head.")) count += size;
  }
  return count;
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
