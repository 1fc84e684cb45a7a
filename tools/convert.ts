import type { Command } from "commander";
import type { WrittenDtype } from "../src/weights/dtypes.ts";
import { collect, dtypeOption, keyDescription } from "./options.ts";

interface ConvertOptions {
  key?: string;
  map?: string;
  reverse?: boolean;
  dtype?: WrittenDtype;
  plugin: string[];
  json?: boolean;
}

/** `segfuse convert`: weights between files, names and element types. */
export function register(program: Command): void {
  program
    .command("convert")
    .argument("<in>", "safetensors or PyTorch file (.pth, .pt), or a checkpoint folder")
    .argument("<out>", "the safetensors file to write")
    .description("convert weights: PyTorch's files, other tools' names, element types")
    .option("--key <key>", keyDescription)
    .option("--map <name>", "rename from another tool's names to segfuse's (segfuse list name_map)")
    .option("--reverse", "with --map: from segfuse's names to the other tool's")
    .addOption(dtypeOption("element type of floats (default: as they are, bit for bit)"))
    .option("--plugin <module>", "count in a plug-in's name maps (path or package; repeatable)", collect, [])
    .option("--json", "print the result as JSON")
    .action(convert);
}

async function convert(from: string, to: string, options: ConvertOptions, command: Command): Promise<void> {
  const { key, map: type, reverse, dtype, plugin, json } = options;
  if (reverse === true && type === undefined) command.error("error: --reverse needs --map");
  const { createRegistry } = await import("../src/builtin.ts");
  const { findCheckpoint } = await import("../src/checkpoints/folder.ts");
  const { convertWeights, describeConversion } = await import("../src/weights/convert.ts");
  const registry = createRegistry();
  await registry.loadPlugins(plugin, `${process.cwd()}/segfuse`);
  const map = type === undefined ? undefined : { type, names: registry.get("name_map", type).create({}) };
  const { weights } = await findCheckpoint(from);
  const { notes, ...result } = await convertWeights({ from: weights, to, key, map, reverse, dtype });
  for (const note of notes) process.stderr.write(`${weights}: ${note}\n`);
  if (json === true) process.stdout.write(`${JSON.stringify({ from: weights, to, ...result })}\n`);
  else process.stdout.write(`${to}: ${describeConversion(result)}\n`);
}
