import type { Command } from "commander";
import { createRegistry } from "../src/builtin.ts";
import {
  diffConfigs,
  diffText,
  loadConfig,
  originText,
  stringifyConfig,
  stringifyWithOrigins,
} from "../src/config/index.ts";

const collect = (value: string, before: string[]) => [...before, value];

interface Options {
  set: string[];
  overlay: string[];
  json?: boolean;
  origins?: boolean;
  diff?: string;
}

/** `segfuse config`: show what a config file comes to. */
export function register(program: Command): void {
  program
    .command("config")
    .description("print a config as it is resolved: bases, overlays and --set applied, defaults filled in")
    .argument("<config>", "config file")
    .option("--set <key=value>", "set one value (YAML), for example optimizer.lr=0.01", collect, [])
    .option("--overlay <file>", "lay an overlay over the config", collect, [])
    .option("--origins", "say beside each value where it was written")
    .option(
      "--diff <config>",
      "print the keys in which another config differs; --set and --overlay go over both",
    )
    .option("--json", "print one JSON document: config, hash and where each value was written")
    .action(async (file: string, { set, overlay, json, origins: withOrigins, diff }: Options) => {
      // Data need not be there to look at a config: unset variables are shown as they were written.
      const options = { set, overlays: overlay, registry: createRegistry(), allowUnsetEnv: true };
      const loaded = await loadConfig(file, options);
      for (const { name } of loaded.unset)
        process.stderr.write(`warning: the environment variable ${name} is not set\n`);
      if (diff !== undefined) {
        const differences = diffConfigs(loaded, await loadConfig(diff, options));
        if (json === true) process.stdout.write(`${JSON.stringify(differences, null, 2)}\n`);
        else if (differences.length > 0) process.stdout.write(`${diffText(differences)}\n`);
        return;
      }
      if (json !== true) {
        const text = withOrigins === true ? stringifyWithOrigins(loaded) : stringifyConfig(loaded.config);
        process.stdout.write(text);
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
