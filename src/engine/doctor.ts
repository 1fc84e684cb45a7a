import { existsSync, mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";
import { freeSpace } from "../util/file_system.ts";
import { segfuseVersion } from "../util/versions.ts";
import { openEngine, type Engine } from "./engine.ts";
import { bindingCandidates, cacheFolder, type BindingCandidate } from "./locate.ts";
import { computesWithOneDnn, oneDnnSetting, oneDnnVariable } from "./onednn.ts";
import { nodePackageVersion } from "./package.ts";
import { currentPlatform, whyUnsupported, type Platform } from "./setup/platform.ts";
import { probeAddon } from "./setup/probe.ts";
import { findProgram, runProcess } from "./setup/process.ts";
import { findCompiler, findPython } from "./setup/tools.ts";

/** Something that is there, in words, or not, and then what to do. */
export interface Finding {
  works: boolean;
  /** What was found, or why it does not work. */
  found: string;
  /** What to do; null where nothing has to be done. */
  advice: string | null;
}

/** What `segfuse doctor` found. Sizes in bytes. */
export interface DoctorReport {
  versions: { segfuse: string; node: string; tfjs: string; tfjs_node: string };
  machine: Platform & {
    cpu: string;
    cores: number;
    /** What decides how TensorFlow computes, of the processor's flags: `avx2`, `avx512_vnni`, …; null: not known. */
    flags: string[] | null;
    memory: number;
    free_memory: number;
  };
  gpu: Finding;
  compiler: Finding;
  pip: Finding;
  cache: Finding & { folder: string; free: number | null };
  /** Variables that change what an engine does or where it comes from, as far as they are set. */
  environment: Record<string, string>;
  engines: Record<Engine["backend"], Finding>;
  /** Whether TensorFlow computes with oneDNN, as seen by what it can compute; null where no TensorFlow works. */
  onednn: Finding | null;
  /** What `engine.type: auto` takes; null where nothing works. */
  auto: Engine["backend"] | null;
}

const variables = [
  ...[
    "SEGFUSE_CACHE",
    "SEGFUSE_TENSORFLOW",
    "XDG_CACHE_HOME",
    "CXX",
    "PIP_INDEX_URL",
    "CUDA_VISIBLE_DEVICES",
  ],
  ...["TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_CPP_MIN_LOG_LEVEL"],
];

/** Looks at everything that computing here depends on, and tries each engine. Nothing is changed. */
export async function examine(): Promise<DoctorReport> {
  // Before an engine sets some for itself.
  const environment = Object.fromEntries(
    variables.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const setting = oneDnnSetting();
  const machine = currentPlatform();
  const tensorflow = await examineTensorFlow(machine);
  const onednn = tensorflow.works ? examineOneDnn(setting) : null;
  const engines = {
    tensorflow,
    wasm: await examinePortable("wasm"),
    cpu: await examinePortable("cpu"),
  };
  const order = ["tensorflow", "wasm", "cpu"] as const;
  return {
    versions: {
      segfuse: segfuseVersion(),
      node: process.versions.node,
      tfjs: tf.version.tfjs,
      tfjs_node: nodePackageVersion(),
    },
    machine: {
      ...machine,
      cpu: os.cpus()[0]?.model.trim() ?? "unknown",
      cores: os.availableParallelism(),
      flags: processorFlags(),
      // A container's limit, where there is one
      memory: Math.min(process.constrainedMemory() || Infinity, os.totalmem()),
      free_memory: process.availableMemory(),
    },
    gpu: await examineGpu(engines.tensorflow),
    compiler: await examineCompiler(),
    pip: await examinePip(),
    cache: examineCache(),
    environment,
    engines,
    onednn,
    auto: order.find((name) => engines[name].works) ?? null,
  };
}

const sources: Record<BindingCandidate["source"], string> = {
  package: "the stock install of tfjs-node-gpu",
  named: "SEGFUSE_TENSORFLOW",
  cache: "the cache",
};

async function examineTensorFlow(machine: Platform): Promise<Finding> {
  const present = bindingCandidates().filter(({ exists }) => exists);
  const failures: string[] = [];
  for (const { addon, source } of present) {
    // In a process of its own first: a library that does not fit may abort
    const probe = await probeAddon(addon);
    if (!probe.works) {
      failures.push(`from ${sources[source]}: ${probe.reason}`);
      continue;
    }
    const finding = await tryEngine("tensorflow");
    return finding.works ? { ...finding, found: `${finding.found}, from ${sources[source]}` } : finding;
  }
  if (failures.length > 0) {
    return { works: false, found: failures.join("; "), advice: "make it again: `segfuse setup --force`" };
  }
  const reason = process.env.SEGFUSE_TENSORFLOW ? null : whyUnsupported(machine);
  if (reason !== null) {
    const advice =
      "set SEGFUSE_TENSORFLOW to an installed Python tensorflow and run `segfuse setup`, or use wasm";
    return { works: false, found: `not set up, and none to download for ${reason}`, advice };
  }
  return { works: false, found: "not set up", advice: "make it: `segfuse setup`" };
}

/** To be asked while TensorFlow is the engine in use. */
function examineOneDnn(setting: boolean | null): Finding {
  const why = { null: "set by segfuse", true: `${oneDnnVariable}=1`, false: `${oneDnnVariable}=0` }[
    `${setting}`
  ];
  if (computesWithOneDnn()) return { works: true, found: `on (${why})`, advice: null };
  const advice = setting === false ? `slower: unset ${oneDnnVariable}, unless you mean it` : null;
  return { works: false, found: setting === false ? `off (${why})` : "not in this TensorFlow", advice };
}

/** Flags of `/proc/cpuinfo` by which TensorFlow and oneDNN choose their code. */
function processorFlags(): string[] | null {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1];
    return (
      flags
        ?.trim()
        .split(/\s+/)
        .filter((flag) => /^(avx|avx2|fma|avx512|avx_vnni|amx)/.test(flag)) ?? null
    );
  } catch {
    return null;
  }
}

async function examinePortable(type: "wasm" | "cpu"): Promise<Finding> {
  const finding = await tryEngine(type);
  return finding.works ? finding : { ...finding, advice: "install segfuse's packages again: `npm ci`" };
}

/** Opens an engine in this process and lets it compute a convolution and its gradient. */
async function tryEngine(type: Engine["backend"]): Promise<Finding> {
  try {
    const engine = await openEngine({ type, threads: null });
    const product = tf.tidy(() => {
      const kernel: tf.Tensor4D = tf.ones([3, 3, 2, 1]);
      const gradient = tf.grad((x) => tf.conv2d(x as tf.Tensor4D, kernel, 1, "valid").sum())(
        tf.ones([1, 4, 4, 2]),
      );
      // Each of the 2×2 windows sends a one to each of its 3×3×2 inputs.
      return gradient.sum().dataSync()[0];
    });
    if (product !== 72) throw new Error(`a gradient came out as ${product}, not 72`);
    const name = { tensorflow: `TensorFlow ${engine.version}`, wasm: "WebAssembly", cpu: "plain JavaScript" }[
      type
    ];
    return { works: true, found: `${name} on ${engine.device}`, advice: null };
  } catch (error) {
    if (error instanceof SegfuseError) {
      return {
        works: false,
        found: error.details.found ?? error.message,
        advice: error.details.advice ?? null,
      };
    }
    return { works: false, found: error instanceof Error ? error.message : String(error), advice: null };
  }
}

async function examineGpu(tensorflow: Finding): Promise<Finding> {
  const program = findProgram("nvidia-smi");
  if (program === null) return { works: false, found: "none (there is no nvidia-smi)", advice: null };
  const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
  const { code, output } = await runProcess([program], query);
  if (code !== 0)
    return { works: false, found: `nvidia-smi fails: ${output.trim()}`, advice: "look at the driver" };
  const found = output.trim().split("\n").join("; ");
  if (tensorflow.works && tensorflow.found.includes(" on GPU")) return { works: true, found, advice: null };
  const advice =
    "the engine that is set up computes on the CPU; for the GPU install Python's `tensorflow[and-cuda]`, set " +
    "SEGFUSE_TENSORFLOW to its folder and LD_LIBRARY_PATH to its NVIDIA libraries, and run `segfuse setup`";
  return { works: false, found: `${found}, not used`, advice };
}

async function examineCompiler(): Promise<Finding> {
  return finding(async () => {
    const compiler = findCompiler();
    const { output } = await runProcess(compiler, ["--version"], { env: { LC_ALL: "C" } });
    return `${compiler.join(" ")}: ${output.split("\n")[0]?.trim() ?? ""}`;
  });
}

async function examinePip(): Promise<Finding> {
  return finding(async () => {
    const { pip, pipVersion } = await findPython();
    return `${pip.join(" ")}: ${pipVersion}`;
  });
}

async function finding(look: () => Promise<string>): Promise<Finding> {
  try {
    return { works: true, found: await look(), advice: null };
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    return { works: false, found: error.message, advice: error.details.advice ?? null };
  }
}

function examineCache(): DoctorReport["cache"] {
  const folder = cacheFolder();
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const free = freeSpace(existing);
  try {
    rmdirSync(mkdtempSync(join(existing, ".segfuse-")));
    return { folder, free, works: true, found: existing === folder ? "there" : "not made yet", advice: null };
  } catch {
    return {
      folder,
      free,
      works: false,
      found: "cannot be written",
      advice: "set SEGFUSE_CACHE to another folder",
    };
  }
}

/** The flags, and the one whose lack makes TensorFlow decide otherwise. */
function describeFlags(flags: readonly string[]): string {
  const lacks = flags.includes("avx512_vnni") ? "" : "; no avx512_vnni";
  return `${flags.join(" ") || "no AVX"}${lacks}`;
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** The report as text, a line or two for each thing. */
export function formatReport(report: DoctorReport): string {
  const { versions, machine, cache } = report;
  const libc = machine.glibc === null ? "" : `, glibc ${machine.glibc}`;
  const lines: string[] = [];
  const say = (name: string, text: string, advice: string | null = null) => {
    lines.push(`${name.padEnd(12)}${text}`);
    if (advice !== null) lines.push(`${" ".repeat(12)}→ ${advice}`);
  };
  const tell = (name: string, { works, found, advice }: Finding) =>
    say(name, works ? found : `no: ${found}`, advice);
  say(
    "segfuse",
    `${versions.segfuse}, Node ${versions.node}, TensorFlow.js ${versions.tfjs}, addon ${versions.tfjs_node}`,
  );
  say("machine", `${machine.platform} ${machine.arch}${libc}, ${machine.cpu}, ${machine.cores} cores`);
  if (machine.flags !== null) say("processor", describeFlags(machine.flags));
  say("memory", `${gigabytes(machine.memory)}, ${gigabytes(machine.free_memory)} free`);
  say("gpu", report.gpu.found, report.gpu.advice);
  tell("compiler", report.compiler);
  tell("pip", report.pip);
  const space = cache.free === null ? "" : `, ${gigabytes(cache.free)} free`;
  say("cache", `${cache.folder} (${cache.found}${space})`, cache.advice);
  for (const [name, value] of Object.entries(report.environment)) say("environment", `${name}=${value}`);
  for (const [name, engine] of Object.entries(report.engines)) {
    say(name, `${engine.works ? "works" : "does not work"}: ${engine.found}`, engine.advice);
    if (name === "tensorflow" && report.onednn !== null)
      say("onednn", report.onednn.found, report.onednn.advice);
  }
  say("auto", report.auto === null ? "finds no engine that works" : `takes ${report.auto}`);
  return lines.join("\n");
}
