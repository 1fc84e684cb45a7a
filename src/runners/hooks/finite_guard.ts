import { Type } from "typebox";
import { SegfuseError } from "../../errors.ts";
import { defineHook } from "../../registry/component.ts";
import type { Hook, PendingUpdate } from "../contracts.ts";

/** A loss that is no number never recovers: momentum and running statistics carry it on. */
export default defineHook({
  type: "finite_guard",
  description: "Stops the run before an update whose loss is infinite or no number.",
  stage: "guard",
  schema: Type.Object({}),
  create: (): Hook => ({ beforeStep: checkFinite }),
});

function checkFinite({ iteration, batches }: PendingUpdate): void {
  for (const { ids, losses } of batches) {
    if (Object.values(losses).every(Number.isFinite)) continue;
    throw new SegfuseError("SEGFUSE_LOSS_NOT_FINITE", `the loss of iteration ${iteration} is not finite`, {
      found: Object.entries(losses)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
      where: `samples ${ids.join(", ")}`,
      advice: "a lower optimizer.lr, schedule.warmup or optimizer.clip_norm",
    });
  }
}
