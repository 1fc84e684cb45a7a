import { dirname } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import { openDataset } from "../datasets/loader.ts";
import { openEngine } from "../engine/engine.ts";
import { materialise } from "../nn/materialise.ts";
import type { Registry } from "../registry/registry.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion } from "../util/versions.ts";
import type { WrittenDtype } from "../weights/dtypes.ts";
import { storedTensors } from "../weights/load.ts";
import { toMetadata } from "../weights/metadata.ts";
import { writeSafetensors } from "../weights/safetensors.ts";
import { networkFor } from "./network.ts";
import { checkWorkDir, makeWorkDir } from "./work_dir.ts";

export interface InitInputs {
  readonly loaded: LoadedConfig;
  /** The weight file to write. */
  readonly out: string;
  /** Element type in the file. Default F32. */
  readonly dtype?: WrittenDtype | undefined;
  readonly registry: Registry;
  readonly logger: Logger;
}

/**
 * Writes the fresh weights of a config's network: every parameter and running statistic, auxiliary heads
 * included; what training with the same seed starts from where no weights are loaded.
 *
 * @returns how many tensors the file holds
 */
export async function writeInitialWeights({
  loaded,
  out,
  dtype,
  registry,
  logger,
}: InitInputs): Promise<number> {
  const { config, hash } = loaded;
  await checkWorkDir(dirname(out), true);
  const { info } = await openDataset(config, "train");
  const segmentor = networkFor(config, info, registry);
  await openEngine(config.engine, logger);
  try {
    materialise(segmentor, config.seed);
    const tensors = await storedTensors(segmentor.namedParameters());
    makeWorkDir(dirname(out));
    await writeSafetensors(out, tensors, metadata(info), { dtype });
    return tensors.size;
  } finally {
    segmentor.dispose();
  }

  function metadata({ classes, palette, ignoreIndex }: DatasetInfo) {
    const { preprocess } = config.model;
    return toMetadata({
      classes,
      palette,
      ignoreIndex,
      preprocess,
      version: segfuseVersion(),
      iteration: 0,
      configHash: hash,
    });
  }
}
