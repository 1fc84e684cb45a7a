import { Option, type Command } from "commander";
import { writeFileAtomic } from "../src/util/atomic_file.ts";
import { collect, imageSize } from "./options.ts";

interface GraphOptions {
  size: [number, number];
  format: "svg" | "mermaid";
  set: string[];
  overlay: string[];
  out?: string;
}

/** `segfuse graph`: a network as a picture. */
export function register(program: Command): void {
  program
    .command("graph")
    .argument("<config>", "a config")
    .description("draw a config's network: its modules, the shapes of their maps and what flows where")
    .addOption(
      new Option("--size <HxW>", "height and width of the image")
        .default([512, 512], "512x512")
        .argParser(imageSize),
    )
    .addOption(new Option("--format <name>", "of the picture").choices(["svg", "mermaid"]).default("svg"))
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--out <file>", "write the picture to a file; without, it is printed")
    .action(graph);
}

async function graph(path: string, { size, format, set, overlay, out }: GraphOptions): Promise<void> {
  const { loadConfig } = await import("../src/config/index.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { configGraph } = await import("../src/runners/graph.ts");
  const { mermaidGraph, svgGraph } = await import("../src/graph/index.ts");
  const registry = createRegistry();
  const loaded = await loadConfig(path, { set, overlays: overlay, registry, allowUnsetEnv: true });
  const drawn = await configGraph(loaded, registry, size);
  const title = `${loaded.config.name}, image ${size.join("×")}`;
  const text = format === "svg" ? svgGraph(drawn, title) : mermaidGraph(drawn);
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  await writeFileAtomic(out, text);
}
