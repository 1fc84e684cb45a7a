import { join } from "node:path";
import { Type } from "typebox";
import { RunLog } from "../run_log.ts";
import { defineHook, type Hook } from "./contracts.ts";

/** Writes the run's records to `run.jsonl`, each as soon as it is made. */
export default defineHook({
  type: "jsonl",
  description: "Writes every record of the log to run.jsonl, one JSON object a line.",
  stage: "log",
  schema: Type.Object({}),
  create: (_options, { workDir, run }): Hook => {
    const first = run.iteration;
    let log: RunLog | undefined;
    return {
      async onLog(record) {
        log ??= await RunLog.open(join(workDir, "run.jsonl"), first);
        await log.write(record);
      },
      close: () => log?.close(),
    };
  },
});
