import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { loadConfig, loadStudy, stringifyConfig, type Config } from "../../../src/config/index.ts";
import { traceSegmentor } from "../../../src/cost/index.ts";
import { errorCodes, SegfuseError } from "../../../src/errors.ts";
import { buildSegmentor } from "../../../src/models/build.ts";
import { createRegistry } from "../../../src/builtin.ts";
import type { Registry } from "../../../src/kinds.ts";
import { Random } from "../../../src/util/random.ts";
import { mutantName, mutate, type Seed } from "./mutate.ts";

export interface FuzzResult {
  readonly count: number;
  /** Mutants that a YAML parser reads. */
  readonly yaml: number;
  /** Mutants that are configs, studies or overlays: their networks were built and traced. */
  readonly valid: number;
  /** Distinct networks among them. */
  readonly networks: number;
  /** How often each code was the first complaint's. */
  readonly codes: Record<string, number>;
  /** What must not be: one text a mutant. */
  readonly failures: readonly string[];
  /** Peak resident memory of the process, in MiB. */
  readonly memory: number;
}

const env = {
  HOME: "/home/someone",
  SEGFUSE_CITYSCAPES: "/data",
  SEGFUSE_CAMVID: "/data",
  SEGFUSE_ADE20K: "/data",
  SEGFUSE_WEIGHTS: "/w",
};

/** Mutates the shipped files `from` … `to` − 1 and loads, builds and traces each mutant. */
export async function fuzz(from: number, to: number): Promise<FuzzResult> {
  const root = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-fuzz-"));
  const folder = join(root, "configs");
  cpSync(fileURLToPath(new URL("../../../configs", import.meta.url)), folder, { recursive: true });
  const registry = createRegistry();
  const run = new FuzzRun(folder, registry);
  try {
    const seeds = await run.seeds();
    for (let i = from; i < to; i++) await run.one(i, seeds);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  const { yaml, valid, codes, failures, traced } = run;
  const memory = process.resourceUsage().maxRSS / 1024;
  return { count: to - from, yaml, valid, networks: traced.size, codes, failures, memory };
}

class FuzzRun {
  yaml = 0;
  valid = 0;
  readonly codes: Record<string, number> = {};
  readonly failures: string[] = [];
  readonly traced = new Set<string>();

  constructor(
    private readonly folder: string,
    private readonly registry: Registry,
  ) {}

  /** The shipped files, and the resolved configs, in which every key is written. */
  async seeds(): Promise<Seed[]> {
    const names = readdirSync(this.folder, { recursive: true, encoding: "utf8" });
    const files = names
      .filter((name) => name.endsWith(".yaml") && !name.startsWith("_base_"))
      .sort()
      .map((name) => ({
        path: join(this.folder, name),
        text: readFileSync(join(this.folder, name), "utf8"),
      }));
    const whole = [];
    for (const { path } of files.filter((file) => /\/table\d\//.test(file.path))) {
      const { config } = await loadConfig(path, { registry: this.registry, env });
      whole.push({ path: path.replace(/([^/]+)$/, "whole_$1"), text: stringifyConfig(config) });
    }
    return [...files, ...whole];
  }

  async one(index: number, seeds: readonly Seed[]): Promise<void> {
    const random = new Random("fuzz", index);
    const seed = seeds[random.integer(seeds.length)]!;
    const { name, bytes } = mutate(random, seed);
    if (isYaml(bytes)) this.yaml++;
    const path = join(dirname(seed.path), mutantName(seed.path));
    writeFileSync(path, bytes);
    try {
      for (const config of await this.load(path)) this.trace(config);
      this.valid++;
    } catch (error) {
      const problem = problemOf(error);
      if (problem !== null) this.failures.push(`mutant ${index} (${name} of ${seed.path}): ${problem}`);
      else this.codes[(error as SegfuseError).code] = (this.codes[(error as SegfuseError).code] ?? 0) + 1;
    } finally {
      rmSync(path);
    }
    if (({} as Record<string, unknown>)["polluted"] !== undefined)
      this.failures.push(`mutant ${index} pollutes`);
  }

  private async load(path: string): Promise<Config[]> {
    const options = { registry: this.registry, env, allowUnsetEnv: true, folder: this.folder };
    if (path.includes("/studies/")) {
      const { rows } = await loadStudy(path, options);
      return rows.map((row) => row.loaded.config);
    }
    if (path.includes("/overlays/")) {
      const base = join(this.folder, "table1/gff.yaml");
      return [(await loadConfig(base, { ...options, overlays: [path] })).config];
    }
    return [(await loadConfig(path, options)).config];
  }

  private trace({ model, data }: Config): void {
    const { type, ...options } = data.dataset;
    const info = this.registry.get("dataset", type).info?.(options);
    const numClasses = info?.classes.length ?? model.num_classes ?? 11;
    const [height, width] = data.crop_size;
    const key = JSON.stringify([model, numClasses, height, width]);
    if (this.traced.has(key)) return;
    this.traced.add(key);
    const segmentor = buildSegmentor(
      model,
      { numClasses, ignoreIndex: info?.ignoreIndex ?? 255 },
      this.registry,
    );
    const { nodes } = traceSegmentor(segmentor, { height, width, inChannels: model.in_channels });
    if (nodes.length === 0) throw new Error("a network without operations");
  }
}

function isYaml(bytes: Buffer): boolean {
  try {
    load(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** What is wrong with how a mutant was refused; null where a user is told properly. */
function problemOf(error: unknown): string | null {
  if (!(error instanceof SegfuseError))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = error.report();
  if (!Object.hasOwn(errorCodes, error.code)) return `an unknown code ${error.code}`;
  if (error.exitCode !== 2) return `exit code ${error.exitCode}: ${text}`;
  if (/^\s+at .*:\d+:\d+\)$|node_modules|undefined|\[object/m.test(text))
    return `no text for users: ${text.slice(0, 2000)}`;
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0b-\x1f\x7f\u202e]/.test(text))
    return `characters that steer a terminal: ${JSON.stringify(text.slice(0, 2000))}`;
  if (text.length > 100_000) return `${text.length} characters of text`;
  return null;
}
