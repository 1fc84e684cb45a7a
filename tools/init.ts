import type { Command } from "commander";
import type { WrittenDtype } from "../src/weights/dtypes.ts";
import { collect, dtypeOption, integer } from "./options.ts";

interface InitOptions {
  out: string;
  seed?: number;
  dtype?: WrittenDtype;
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** `segfuse init`: fresh weights as a file. */
export function register(program: Command): void {
  program
    .command("init")
    .argument("<config>", "a config file")
    .description("write the fresh weights that training starts from, `pretrained` ignored")
    .requiredOption("--out <file>", "the safetensors file to write")
    .option("--seed <number>", "instead of the config's", integer)
    .addOption(dtypeOption("element type of the file (default: F32)"))
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print the result as JSON")
    .action(init);
}

async function init(path: string, { out, seed, dtype, set, overlay, json }: InitOptions): Promise<void> {
  const { loadConfig, withSeed } = await import("../src/config/load.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { stderrLogger: logger } = await import("../src/util/logger.ts");
  const registry = createRegistry();
  const fromFile = await loadConfig(path, { set, overlays: overlay, registry, allowUnsetEnv: true });
  const loaded = seed === undefined ? fromFile : withSeed(fromFile, seed);
  await ensureEngine(logger, loaded.config.engine.type);
  const { writeInitialWeights } = await import("../src/runners/init.ts");
  const tensors = await writeInitialWeights({ loaded, out, dtype, registry, logger });
  if (json === true) process.stdout.write(`${JSON.stringify({ out, tensors, seed: loaded.config.seed })}\n`);
  else process.stdout.write(`${out}: ${tensors} tensors, seed ${loaded.config.seed}\n`);
}
