import { join } from "node:path";
import type { Command } from "commander";
import type { CheckedRun } from "../src/runners/train.ts";
import { collect, integer } from "./options.ts";
import { showRun } from "./progress.ts";
import { stoppable } from "./stop.ts";

interface TrainOptions {
  workDir?: string;
  resume?: boolean;
  resumeFrom?: string;
  allowFresh: string[];
  seed?: number;
  allowChange: string[];
  check?: boolean;
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** `segfuse train`: train one config. */
export function register(program: Command): void {
  program
    .command("train")
    .argument("<config>", "a config file")
    .description("train a network; its log and checkpoints go to the work folder")
    .option("--work-dir <folder>", "output folder (default: work_dirs/NAME)")
    .option("--resume", "go on from the work folder's last checkpoint; start where there is none")
    .option("--resume-from <path>", "go on from this checkpoint")
    .option(
      "--allow-change <key>",
      "go on although this key of the config is not as it was (* any characters; repeatable)",
      collect,
      [],
    )
    .option(
      "--allow-fresh <pattern>",
      "weights that stay fresh where the file has another shape, as 'head.classifier.*' (repeatable)",
      collect,
      [],
    )
    .option("--seed <number>", "instead of the config's", integer)
    .option(
      "--check",
      "check all data, the network, weights, memory and output folder, try one update; keep nothing",
    )
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print the result as JSON")
    .action(train);
}

// Imported where needed: `segfuse --help` need not load TensorFlow.js.
async function train(path: string, options: TrainOptions): Promise<void> {
  const { loadConfig, withSeed } = await import("../src/config/load.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { ProgressDisplay } = await import("../src/util/progress_display.ts");
  const registry = createRegistry();
  const fromFile = await loadConfig(path, { set: options.set, overlays: options.overlay, registry });
  const loaded = options.seed === undefined ? fromFile : withSeed(fromFile, options.seed);
  const workDir = options.workDir ?? join("work_dirs", loaded.config.name);
  const display = new ProgressDisplay();
  try {
    await ensureEngine(display, loaded.config.engine.type);
    const runner = await import("../src/runners/train.ts");
    const { resume, resumeFrom, allowChange, allowFresh } = options;
    const inputs = {
      loaded,
      workDir,
      registry,
      logger: display,
      onProgress: showRun(display),
      resume,
      resumeFrom,
      allowChange,
      allowFresh,
    };
    if (options.check === true) {
      const found = await runner.checkRun(inputs);
      const { availableMemory, formatPreflight } = await import("../src/runners/preflight/index.ts");
      display.stop();
      if (options.json === true) process.stdout.write(`${JSON.stringify(checkJson(found))}\n`);
      else process.stdout.write(`${formatPreflight(found, availableMemory())}\n`);
      display.info("nothing wrong was found; nothing of the update was kept");
      return;
    }
    display.info(`work folder: ${workDir}`);
    const result = await stoppable(display, workDir, (stop) => runner.train({ ...inputs, stop }));
    display.stop();
    if (result === null) return;
    if (options.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
    else process.stdout.write(`${result.checkpoint}\n`);
  } finally {
    display.stop();
  }
}

/** What `--check --json` prints. */
function checkJson({ data, info, parameters, memory, disk, warnings, update }: CheckedRun) {
  const { splits, shared } = data;
  return { classes: info.classes, splits, shared, parameters, memory, disk, warnings, update };
}
