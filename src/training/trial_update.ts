import { SegfuseError } from "../errors.ts";
import type { PendingUpdate } from "./hooks/contracts.ts";
import type { Needs } from "./tokens.ts";

/** What one update has shown. */
export interface TrialUpdate {
  /** Parts of the loss and their sum as `loss`, before the update. */
  readonly losses: Readonly<Record<string, number>>;
  /** Wall-clock time of forward and backward pass and update; the first is the slowest of a run. */
  readonly seconds: number;
}

/**
 * Makes one update as the run would make its next: its first batch, its workers, its engine. A network that only a
 * trace of shapes has followed may still meet an operation that the engine does not have. The network's values are of
 * no use afterwards.
 *
 * @param iteration the update's number, from 0
 * @throws SegfuseError `SEGFUSE_ENGINE_OPERATION`, `SEGFUSE_LOSS_NOT_FINITE`, and what samples and plug-ins throw
 */
export async function trialUpdate(
  { step, loader }: Needs<"step" | "loader">,
  iteration: number,
): Promise<TrialUpdate> {
  const { losses, seconds } = await step.run(iteration, () => loader.next(), requireFinite);
  return { losses, seconds: seconds.forward + seconds.backward + seconds.update };
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
