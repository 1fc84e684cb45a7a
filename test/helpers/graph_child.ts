/**
 * Draws the networks of configs, whose plug-ins Node itself imports, and prints what the command would say of each that
 * cannot be drawn.
 */
import { loadConfig } from "../../src/config/index.ts";
import { SegfuseError } from "../../src/errors.ts";
import { createRegistry } from "../../src/builtin.ts";
import { configGraph } from "../../src/runners/graph.ts";

for (const file of process.argv.slice(2)) {
  try {
    const registry = createRegistry();
    await configGraph(await loadConfig(file, { registry, allowUnsetEnv: true }), registry, [64, 64]);
    process.stdout.write("drawn\n\n");
  } catch (error) {
    const text = error instanceof SegfuseError ? error.report() : `uncoded: ${String(error)}`;
    process.stdout.write(`${text}\n\n`);
  }
}
