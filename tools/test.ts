import type { Command } from "commander";
import type { LoadedConfig } from "../src/config/load.ts";
import { addEvaluationFlags, evaluationOverrides, type EvaluationFlags } from "./evaluation_flags.ts";
import { lineWidth } from "../src/util/terminal.ts";
import { collect, keyDescription } from "./options.ts";
import { showRun } from "./progress.ts";

interface TestOptions extends EvaluationFlags {
  out?: string;
  key?: string;
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** `segfuse test`: evaluate a checkpoint on the config's `data.test`. */
export function register(program: Command): void {
  const command = program
    .command("test")
    .argument("<config>", "a config file")
    .argument(
      "<checkpoint>",
      "an iter_N folder, a work folder (its best, else last checkpoint) or a weight file",
    )
    .description("evaluate a checkpoint and print its scores by class")
    .option("--out <folder>", "write report.json, report.md and report.html there")
    .option("--key <key>", keyDescription);
  addEvaluationFlags(command)
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print the report as JSON")
    .action(test);
}

async function test(path: string, checkpoint: string, options: TestOptions): Promise<void> {
  const { loadConfig } = await import("../src/config/load.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { ProgressDisplay } = await import("../src/util/progress_display.ts");
  const registry = createRegistry();
  const set = [...options.set, ...evaluationOverrides(options)];
  const load = { set, overlays: options.overlay, registry, allowUnsetEnv: true };
  const loaded: LoadedConfig = await loadConfig(path, load);
  const display = new ProgressDisplay();
  try {
    await ensureEngine(display, loaded.config.engine.type);
    const { testCheckpoint } = await import("../src/runners/test.ts");
    const report = await testCheckpoint({
      loaded,
      checkpoint,
      key: options.key,
      registry,
      logger: display,
      outDir: options.out,
      onProgress: showRun(display),
    });
    display.stop();
    const { formatReport } = await import("../src/reports/text.ts");
    const isJson = options.json === true;
    const text = isJson ? JSON.stringify(report) : formatReport(report, lineWidth(process.stdout));
    process.stdout.write(`${text}\n`);
  } finally {
    display.stop();
  }
}
