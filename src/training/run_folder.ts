import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { adoptPointers } from "../checkpoints/adopt.ts";
import { stringifyConfig } from "../config/load.ts";
import { writeFileAtomically } from "../util/atomic_file.ts";
import { versions } from "../util/versions.ts";
import { makeWorkDir } from "../util/work_dir.ts";
import type { RunRecord } from "./run_log.ts";
import type { Needs } from "./tokens.ts";

/** A run's output folder. */
export class RunFolder {
  constructor(
    private readonly parts: Needs<"workDir" | "loaded" | "engine" | "info" | "weights" | "resumed">,
  ) {}

  /**
   * Makes the folder and writes the resolved config.
   *
   * @param iteration updates done
   * @returns what the run is: the first record of its log
   */
  async begin(iteration: number): Promise<RunRecord> {
    const { workDir, loaded, engine, info, weights, resumed } = this.parts;
    const { config } = loaded;
    makeWorkDir(workDir);
    if (resumed !== null) await adoptPointers(workDir, resumed);
    await writeFileAtomically(join(workDir, "config.yaml"), [stringifyConfig(config)]);
    return {
      event: "start",
      iteration,
      resumed: resumed !== null,
      name: config.name,
      seed: config.seed,
      config: loaded.path,
      config_hash: loaded.hash,
      iterations: config.schedule.iterations,
      engine,
      versions: { ...versions(), tfjs: tf.version.tfjs },
      classes: info.classes,
      weights: weights && {
        sources: weights.sources.map(({ file, loaded, fresh, unused }) => ({ file, loaded, fresh, unused })),
        fresh: weights.fresh,
      },
    };
  }
}
