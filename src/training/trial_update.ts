import type { Config } from "../config/sections.ts";
import { openTrainLoader } from "../datasets/loader.ts";
import { SegfuseError } from "../errors.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Registry } from "../kinds.ts";
import { trainingParts } from "./parts.ts";
import type { PendingUpdate } from "./hooks/contracts.ts";

/** What one update has shown. */
export interface TrialUpdate {
  /** Parts of the loss and their sum as `loss`, before the update. */
  readonly losses: Readonly<Record<string, number>>;
  /** Wall-clock time of forward and backward pass and update; the first is the slowest of a run. */
  readonly seconds: number;
}

/**
 * Makes one update as the run would make its next: its first batch, its workers, its engine. A network that only a
 * trace of shapes has followed may still meet an operation that the engine does not have.
 *
 * @param segmentor with values, which the update changes: of no use afterwards
 * @param iteration the update's number, from 0
 * @returns null where the schedule has no such update
 * @throws SegfuseError `SEGFUSE_ENGINE_OPERATION`, `SEGFUSE_LOSS_NOT_FINITE`, and what samples and plug-ins throw
 */
export async function trialUpdate(
  config: Config,
  segmentor: Segmentor,
  registry: Registry,
  iteration: number,
): Promise<TrialUpdate | null> {
  const iterations = iteration + 1;
  if (iterations > config.schedule.iterations) return null;
  const loader = await openTrainLoader({ config, seed: config.seed, firstIteration: iteration, iterations });
  const { optimizer, step } = trainingParts(config, segmentor, registry);
  try {
    const { losses, seconds } = await step.run(iteration, () => loader.next(), requireFinite);
    return { losses, seconds: seconds.forward + seconds.backward + seconds.update };
  } finally {
    optimizer.dispose();
    await loader.close();
  }
}

function requireFinite({ batches }: PendingUpdate): Promise<void> {
  const broken = batches.find(({ losses }) => !Object.values(losses).every(Number.isFinite));
  if (broken === undefined) return Promise.resolve();
  throw new SegfuseError("SEGFUSE_LOSS_NOT_FINITE", "the loss of the first update is not finite", {
    where: `samples ${broken.ids.join(", ")}`,
    found: Object.entries(broken.losses)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
    advice: "look at model.preprocess, the weights that the run starts from, and the losses' options",
  });
}
