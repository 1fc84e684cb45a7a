import { Option, type Command } from "commander";
import { lineWidth } from "../src/util/terminal.ts";
import { collect, imageSize } from "./options.ts";

interface CostOptions {
  size: [number, number];
  convention: "mac" | "2mac" | "mmseg";
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** `segfuse cost`: parameters, operations and memory of a network, or of all rows of a study. */
export function register(program: Command): void {
  program
    .command("cost")
    .argument("<config>", "a config or a study")
    .description("count a network's parameters, multiply-adds and activations, whole and by part")
    .addOption(
      new Option("--size <HxW>", "height and width of the image")
        .default([512, 512], "512x512")
        .argParser(imageSize),
    )
    .addOption(
      new Option("--convention <name>", "what counts as an operation: see the last line of the table")
        .choices(["mac", "2mac", "mmseg"])
        .default("mac"),
    )
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print exact counts as one JSON document")
    .action(cost);
}

async function cost(path: string, options: CostOptions): Promise<void> {
  const { isStudy, loadConfig, loadStudy } = await import("../src/config/index.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { configCost, studyCost } = await import("../src/runners/cost.ts");
  const { formatCost, formatStudyCost } = await import("../src/reports/cost.ts");
  const width = lineWidth(process.stdout);
  const registry = createRegistry();
  // Data need not be there to count a network.
  const load = { set: options.set, overlays: options.overlay, registry, allowUnsetEnv: true };
  const print = (document: unknown, text: () => string) =>
    process.stdout.write(`${options.json === true ? JSON.stringify(document) : text()}\n`);
  if (await isStudy(path)) {
    const study = await loadStudy(path, load);
    const rows = await studyCost(study, registry, options);
    print({ rows }, () => formatStudyCost(study, rows, width));
  } else {
    const loaded = await loadConfig(path, load);
    const counted = await configCost(loaded, registry, options);
    print(counted, () => formatCost(loaded.config.name, counted, width));
  }
}
