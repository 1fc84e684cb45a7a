import type { Command } from "commander";
import { collect } from "./options.ts";

interface PredictOptions {
  out: string;
  logits?: string;
  slide?: boolean;
  set: string[];
  overlay: string[];
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("predict")
    .argument("<config>", "a config file")
    .argument("<checkpoint>", "an iteration's folder, a work folder or a weight file")
    .argument("<image...>", "image files")
    .description("segment images: coloured overlays and PNGs of class numbers")
    .requiredOption("--out <folder>", "output folder")
    .option("--logits <file>", "raw logits of one whole-image forward as safetensors (images of one size)")
    .option("--slide", "sliding windows (evaluation.window, stride) instead of whole images")
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print what was written as JSON")
    .action(predict);
}

async function predict(
  path: string,
  checkpoint: string,
  images: string[],
  options: PredictOptions,
): Promise<void> {
  const { loadConfig } = await import("../src/config/load.ts");
  const { createRegistry } = await import("../src/registry/registry.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { stderrLogger: logger } = await import("../src/util/logger.ts");
  const { set, overlay: overlays, out: outDir, logits, slide } = options;
  const registry = createRegistry();
  const loaded = await loadConfig(path, { set, overlays, registry });
  await ensureEngine(logger, loaded.config.engine.type);
  const { predictFiles } = await import("../src/runners/predict.ts");
  const written = await predictFiles({ loaded, checkpoint, images, outDir, logits, slide, registry, logger });
  const lines = written.map((paths) => `${paths.image}: ${paths.overlay}, ${paths.classes}`);
  process.stdout.write(options.json === true ? `${JSON.stringify(written)}\n` : `${lines.join("\n")}\n`);
}
