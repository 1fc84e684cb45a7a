import type { Command } from "commander";
import { setUpEngine } from "../src/engine/setup/setup.ts";
import { ProgressDisplay } from "../src/util/progress_display.ts";

const sources = {
  package: "the stock install of @tensorflow/tfjs-node-gpu",
  named: "SEGFUSE_TENSORFLOW",
  cache: "the cache",
} as const;

/** `segfuse setup`: make the native engine. */
export function register(program: Command): void {
  program
    .command("setup")
    .description("make the native engine (TensorFlow), once; later runs find it in the cache")
    .option("--force", "make it again, the download included")
    .option("--json", "print one JSON document")
    .action(async (options: { force?: boolean; json?: boolean }) => {
      const progress = new ProgressDisplay();
      const result = await setUpEngine(progress, { force: options.force ?? false }).finally(() =>
        progress.stop(),
      );
      if (options.json) {
        process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
        return;
      }
      const verb = result.made ? "was made" : "is ready";
      process.stdout.write(`the native engine ${verb} (${sources[result.source]}): ${result.addon}\n`);
    });
}
