import type { Command } from "commander";
import type { LoadedConfig } from "../src/config/load.ts";
import { collect } from "./options.ts";
import { showRun } from "./progress.ts";

interface TestOptions {
  out?: string;
  tta?: boolean;
  slide?: boolean;
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** The paper's multi-scale testing (4.1), with flips. */
const multiScale = { scales: [0.75, 1, 1.25, 1.5, 1.75], flip: true };

/** `segfuse test`: evaluate a checkpoint on the config's `data.test`. */
export function register(program: Command): void {
  program
    .command("test")
    .argument("<config>", "a config file")
    .argument(
      "<checkpoint>",
      "an iter_N folder, a work folder (its best, else last checkpoint) or a weight file",
    )
    .description("evaluate a checkpoint and print its scores by class")
    .option("--out <folder>", "write report.json, report.md and report.html there")
    .option("--tta", "average over scales 0.75, 1, 1.25, 1.5, 1.75 and mirrored images, as the paper")
    .option("--slide", "sliding window, whatever the config says")
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print the report as JSON")
    .action(test);
}

async function test(path: string, checkpoint: string, options: TestOptions): Promise<void> {
  const { loadConfig } = await import("../src/config/load.ts");
  const { createRegistry } = await import("../src/registry/registry.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { ProgressDisplay } = await import("../src/util/progress_display.ts");
  const registry = createRegistry();
  const set = [...options.set, ...evaluationOverrides(options)];
  const loaded: LoadedConfig = await loadConfig(path, { set, overlays: options.overlay, registry });
  const display = new ProgressDisplay();
  try {
    await ensureEngine(display, loaded.config.engine.type);
    const { testCheckpoint } = await import("../src/runners/test.ts");
    const report = await testCheckpoint({
      loaded,
      checkpoint,
      registry,
      logger: display,
      outDir: options.out,
      onProgress: showRun(display),
    });
    display.stop();
    const { formatReport } = await import("../src/reports/text.ts");
    process.stdout.write(`${options.json === true ? JSON.stringify(report) : formatReport(report)}\n`);
  } finally {
    display.stop();
  }
}

/** Flags are short for `--set`, so that the report's config says how it was evaluated. */
function evaluationOverrides({ tta, slide }: TestOptions): string[] {
  return [
    ...(tta === true
      ? [`evaluation.scales=${JSON.stringify(multiScale.scales)}`, `evaluation.flip=${multiScale.flip}`]
      : []),
    ...(slide === true ? ["evaluation.mode=slide"] : []),
  ];
}
