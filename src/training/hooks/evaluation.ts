import { Type } from "typebox";
import { defineHook, type Hook } from "./contracts.ts";

/** Evaluates on `data.val` each `evaluation.interval` updates. */
export default defineHook({
  type: "evaluation",
  description: "Evaluates on the validation split each evaluation.interval updates.",
  stage: "evaluation",
  schema: Type.Object({}),
  create: (_options, { run, loaded }): Hook => ({
    async afterUpdate({ iteration }) {
      if (iteration % loaded.config.evaluation.interval === 0) await run.evaluate();
    },
  }),
});
