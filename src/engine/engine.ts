import { errorText } from "../util/error_text.ts";
import os from "node:os";
import { dirname, sep } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";
import type { Logger } from "../util/logger.ts";
import { registerGradients } from "./gradients/index.ts";
import { bindingCandidates } from "./locate.ts";
import { createNativeBackend, loadBinding, type NativeBinding } from "./native.ts";
import { requireFromSegfuse } from "./package.ts";

/** `tensorflow`: the native library; `wasm`: WebAssembly; `cpu`: plain JavaScript; `auto`: the first that works. */
export type EngineType = "auto" | "tensorflow" | "wasm" | "cpu";

/** The section `engine` of a config. */
export interface EngineOptions {
  type: EngineType;
  /** Threads that the native engine computes with; null: one per core. The other engines have one thread. */
  threads: number | null;
}

/** The engine that TensorFlow.js computes with from now on. */
export interface Engine {
  /** The name TensorFlow.js knows it by: `tensorflow`, `wasm` or `cpu`. */
  backend: Exclude<EngineType, "auto">;
  /** Of the TensorFlow library, or of TensorFlow.js for the portable engines. */
  version: string;
  /** As asked for; null: the engine's own choice. */
  threads: number | null;
  /** What computes, in words: `CPU (AMD EPYC 7B13)`, `GPU`. */
  device: string;
}

/**
 * Makes TensorFlow.js compute with the engine that is asked for, and registers the corrected gradients.
 * It uses what exists on this machine and sets nothing up: `ensureEngine` (setup/ensure.ts) does that.
 * An engine that this process has opened before is used again.
 *
 * @throws SegfuseError `SEGFUSE_ENGINE_MISSING` where the native engine is asked for and was not set up,
 *   `SEGFUSE_ENGINE_BROKEN` where one is there and does not load
 */
export async function openEngine(options: EngineOptions, logger?: Logger): Promise<Engine> {
  const engine = await open(options, logger);
  await tf.setBackend(engine.backend);
  await tf.ready();
  registerGradients();
  return engine;
}

async function open(options: EngineOptions, logger: Logger | undefined): Promise<Engine> {
  switch (options.type) {
    case "tensorflow":
      return openTensorFlow(options.threads, logger);
    case "wasm":
      return openWasm();
    case "cpu":
      return openCpu();
    case "auto":
      return openFirst(options.threads, logger);
  }
}

async function openFirst(threads: number | null, logger: Logger | undefined): Promise<Engine> {
  try {
    return openTensorFlow(threads, logger);
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    const { message, details } = error;
    logger?.warn(`${message}; computing with wasm, some 10 times slower. ${details.advice ?? ""}`.trimEnd());
  }
  try {
    return await openWasm();
  } catch (error) {
    logger?.warn(`wasm does not work (${errorText(error)}); computing in plain JavaScript, very slowly`);
    return openCpu();
  }
}

function openTensorFlow(threads: number | null, logger: Logger | undefined): Engine {
  const registered = tf.findBackend("tensorflow") as unknown as { binding: NativeBinding } | null;
  if (registered !== null) {
    const before = process.env.TF_NUM_INTRAOP_THREADS;
    if (threads !== null && before !== String(threads)) {
      logger?.warn(`the engine keeps its threads (${before ?? "one per core"}): it was opened before`);
    }
    return nativeEngine(registered.binding, threads);
  }
  const failures: string[] = [];
  for (const { addon } of bindingCandidates().filter(({ exists }) => exists)) {
    try {
      const binding = loadBinding(addon, threads);
      const backend = createNativeBackend(binding);
      tf.registerBackend("tensorflow", () => backend, 3);
      return nativeEngine(binding, threads);
    } catch (error) {
      failures.push(`${addon}: ${errorText(error)}`);
    }
  }
  if (failures.length > 0) {
    throw new SegfuseError("SEGFUSE_ENGINE_BROKEN", "the native engine does not load", {
      found: failures.join("; "),
      advice:
        "`segfuse setup --force` makes it again; `segfuse doctor` says more; `--set engine.type=wasm` works without",
    });
  }
  throw new SegfuseError("SEGFUSE_ENGINE_MISSING", "the native engine is not set up", {
    advice: "`segfuse setup` makes it; `--set engine.type=wasm` works without",
  });
}

function nativeEngine(binding: NativeBinding, threads: number | null): Engine {
  const device = binding.isUsingGpuDevice() ? "GPU" : cpuName();
  return { backend: "tensorflow", version: binding.TF_Version, threads, device };
}

async function openWasm(): Promise<Engine> {
  const wasm = requireFromSegfuse("@tensorflow/tfjs-backend-wasm") as WasmModule;
  const folder = dirname(requireFromSegfuse.resolve("@tensorflow/tfjs-backend-wasm"));
  if (tf.findBackend("wasm") === null) wasm.setWasmPaths(folder + sep);
  if (!(await tf.setBackend("wasm"))) throw new Error("TensorFlow.js could not start WebAssembly");
  return { backend: "wasm", version: wasm.version_wasm, threads: null, device: cpuName() };
}

interface WasmModule {
  setWasmPaths(folder: string): void;
  version_wasm: string;
}

function openCpu(): Engine {
  const backend = tf.findBackend("cpu") as { firstUse?: boolean } | null;
  // Else it advises to install tfjs-node, once.
  if (backend !== null) backend.firstUse = false;
  return { backend: "cpu", version: tf.version.tfjs, threads: null, device: cpuName() };
}

function cpuName(): string {
  const model = os.cpus()[0]?.model.trim();
  return model ? `CPU (${model})` : "CPU";
}
