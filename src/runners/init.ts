import { dirname } from "node:path";
import { requireEnvironment, type LoadedConfig } from "../config/load.ts";
import { materialise } from "../nn/materialise.ts";
import type { Registry } from "../kinds.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion } from "../util/versions.ts";
import type { WrittenDtype } from "../weights/dtypes.ts";
import { storedTensors } from "../weights/load.ts";
import { toMetadata } from "../weights/metadata.ts";
import { writeSafetensors } from "../weights/safetensors.ts";
import { configClasses, type NetworkClasses } from "./classes.ts";
import { openRunEngine, openScope, shareNetwork } from "./scope.ts";
import { runParts } from "../training/tokens.ts";
import { checkWorkDir, makeWorkDir } from "../util/work_dir.ts";

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
 * included; what training with the same seed starts from where no weights are loaded. Reads no data: see
 * {@link configClasses}.
 *
 * @returns how many tensors the file holds
 */
export async function writeInitialWeights(inputs: InitInputs): Promise<number> {
  const { loaded, out, dtype } = inputs;
  const { config, hash } = loaded;
  requireEnvironment(loaded, ["engine", "model"]);
  await checkWorkDir(dirname(out), true);
  const scope = openScope(inputs);
  const parts = runParts(scope);
  try {
    const classes = await configClasses(loaded, parts.registry);
    if (classes.unnamed !== null)
      parts.logger.warn(`${out} will not name its classes: ${classes.unnamed.message}`);
    shareNetwork(scope, classes.info);
    const { segmentor, seed } = parts;
    await openRunEngine(scope);
    materialise(segmentor, seed);
    const tensors = await storedTensors(segmentor.namedParameters());
    makeWorkDir(dirname(out));
    await writeSafetensors(out, tensors, metadata(classes), { dtype });
    return tensors.size;
  } finally {
    await scope.close();
  }

  function metadata({ info, unnamed }: NetworkClasses) {
    const { preprocess } = config.model;
    return toMetadata({
      info: unnamed === null ? info : null,
      preprocess,
      version: segfuseVersion(),
      iteration: 0,
      configHash: hash,
    });
  }
}
