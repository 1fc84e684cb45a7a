import type { Config } from "../config/sections.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../kinds.ts";
import { TrainingStep } from "./step.ts";
import { trainableParameters } from "./initial_weights.ts";
import type { Optimizer } from "./optimizers/contracts.ts";

/** What updates a network with values: the config's optimiser, and the step that feeds it. The caller disposes of the former. */
export function trainingParts(
  config: Config,
  segmentor: Segmentor,
  registry: Registry,
): { optimizer: Optimizer; step: TrainingStep } {
  const parameters = trainableParameters(segmentor);
  const optimizer = registry.make("optimizer", config.optimizer, { parameters });
  const step = new TrainingStep({
    segmentor,
    parameters,
    optimizer,
    schedule: registry.make("schedule", config.schedule),
    baseLr: config.optimizer.lr,
    accumulate: config.optimizer.accumulate,
    clipNorm: config.optimizer.clip_norm,
    seed: config.seed,
  });
  return { optimizer, step };
}
