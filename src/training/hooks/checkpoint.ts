import { Type } from "typebox";
import { defineHook, type Hook } from "./contracts.ts";

/** Stores a checkpoint each `checkpoint.interval` updates, of the last update and of every best score. */
export default defineHook({
  type: "checkpoint",
  description: "Stores a checkpoint each checkpoint.interval updates, the best and the last.",
  stage: "checkpoint",
  schema: Type.Object({}),
  create: (_options, { run, loaded }): Hook => ({
    async afterUpdate({ iteration }) {
      const isDue = iteration % loaded.config.checkpoint.interval === 0 || run.isEnding;
      if (isDue || run.best?.iteration === iteration) await run.save();
    },
  }),
});
