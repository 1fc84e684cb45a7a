import type { Command } from "commander";
import { loadConfig, originText, stringifyConfig } from "../src/config/index.ts";

const collect = (value: string, before: string[]) => [...before, value];

interface Options {
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** `segfuse config`: show what a config file comes to. */
export function register(program: Command): void {
  program
    .command("config")
    .description("print a config as it is resolved: bases, overlays and --set applied, defaults filled in")
    .argument("<config>", "config file")
    .option("--set <key=value>", "set one value (YAML), for example optimizer.lr=0.01", collect, [])
    .option("--overlay <file>", "lay an overlay over the config", collect, [])
    .option("--json", "print one JSON document: config, hash and where each value was written")
    .action(async (file: string, { set, overlay, json }: Options) => {
      // Data need not be there to look at a config: unset variables are shown as they were written.
      const loaded = await loadConfig(file, { set, overlays: overlay, allowUnsetEnv: true });
      for (const { name } of loaded.unset)
        process.stderr.write(`warning: the environment variable ${name} is not set\n`);
      if (json !== true) {
        process.stdout.write(stringifyConfig(loaded.config));
        return;
      }
      const origins = Object.fromEntries(
        [...loaded.origins].map(([path, origin]) => [path, originText(origin)]),
      );
      process.stdout.write(
        `${JSON.stringify({ config: loaded.config, hash: loaded.hash, origins }, null, 2)}\n`,
      );
    });
}
