/**
 * What `segfuse cost` takes: every row of Tables 1 and 2 (ResNet-101) at 1024×2048, each in a process of its own.
 * Prints seconds of the count alone and of the whole process, and its largest memory; fails where a count takes 2 s
 * or a process 500 MB.
 *
 *   npm run bench:cost
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../src/config/index.ts";
import { createRegistry } from "../src/builtin.ts";
import { configCost } from "../src/runners/cost.ts";

const configs = ["pspnet", "concat", "addition", "fpn", "gated_fpn", "gff"].map((row) => `table1/${row}`);
const limits = { seconds: 2, megabytes: 500 };

interface Measured {
  seconds: number;
  megabytes: number;
  macs: number;
}

/** In the child: counts one config. */
async function measure(path: string): Promise<Measured> {
  const registry = createRegistry();
  const loaded = await loadConfig(path, { registry, allowUnsetEnv: true });
  const start = performance.now();
  const { macs } = await configCost(loaded, registry, { size: [1024, 2048], convention: "mac" });
  const seconds = (performance.now() - start) / 1000;
  return { seconds, megabytes: process.resourceUsage().maxRSS / 1024, macs: macs.total };
}

function measureInChild(config: string): Measured & { process: number } {
  const path = fileURLToPath(new URL(`../configs/${config}.yaml`, import.meta.url));
  const loader = new URL("../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
  const start = performance.now();
  const child = spawnSync(process.execPath, ["--import", loader, fileURLToPath(import.meta.url), path], {
    encoding: "utf8",
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return { ...(JSON.parse(child.stdout) as Measured), process: (performance.now() - start) / 1000 };
}

const [child] = process.argv.slice(2);
if (child !== undefined) {
  process.stdout.write(JSON.stringify(await measure(child)));
} else {
  process.stdout.write("row               multiply-adds   count, s   process, s   largest memory, MB\n");
  for (const config of [...configs, "table2/gff_dfp"]) {
    const { macs, seconds, process: whole, megabytes } = measureInChild(config);
    const numbers = [`${(macs / 1e9).toFixed(1)} G`.padStart(13), seconds.toFixed(2).padStart(8)];
    numbers.push(whole.toFixed(2).padStart(10), megabytes.toFixed(0).padStart(18));
    process.stdout.write(`${config.padEnd(18)}${numbers.join("   ")}\n`);
    if (seconds >= limits.seconds || megabytes >= limits.megabytes) process.exitCode = 1;
  }
}
