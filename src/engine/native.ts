import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import util from "node:util";
import type { KernelBackend } from "@tensorflow/tfjs";
import { dilatedDepthwise, isDilatedDepthwise } from "./dilated_depthwise.ts";
import type { NativeBackend } from "./kernel.ts";
import { quietFile } from "./locate.ts";
import { oneDnnSetting, oneDnnVariable } from "./onednn.ts";
import { isRefusedForm, operationError } from "./operation_error.ts";
import { requireFromSegfuse } from "./package.ts";

/** What is used of tfjs-node's addon beside its kernels. */
export interface NativeBinding {
  /** The version of the TensorFlow library, for instance `2.21.0`. */
  TF_Version: string;
  isUsingGpuDevice(): boolean;
}

/** The addon's own `mute` and `unmute` of standard error; see `setup/quiet.cc`. */
interface QuietAddon {
  mute(): void;
  unmute(): void;
}

/**
 * Loads TensorFlow's addon into this process. TensorFlow reads its environment while it is loaded, so that
 * whatever goes there (`threads`) has to be known by now and cannot change later.
 *
 * @param addon path of `tfjs_binding.node`
 * @param threads threads of one operation and operations at once; null leaves TensorFlow's default: one per core
 * @throws Error of the dynamic linker, when the file or what it needs is missing or does not fit this machine
 */
export function loadBinding(addon: string, threads: number | null): NativeBinding {
  // The user's own setting wins; 2 hides notes and warnings and leaves errors.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  if (oneDnnSetting() === null) process.env[oneDnnVariable] = "1";
  if (threads !== null) {
    process.env.TF_NUM_INTRAOP_THREADS = String(threads);
    process.env.TF_NUM_INTEROP_THREADS = String(threads);
  }
  const quiet = Number(process.env.TF_CPP_MIN_LOG_LEVEL) >= 2 ? loadQuiet(dirname(addon)) : null;
  quiet?.mute();
  try {
    return requireFromSegfuse(addon) as NativeBinding;
  } finally {
    quiet?.unmute();
  }
}

function loadQuiet(folder: string): QuietAddon | null {
  const file = join(folder, quietFile);
  return existsSync(file) ? (requireFromSegfuse(file) as QuietAddon) : null;
}

/**
 * Makes TensorFlow.js's native backend from a loaded addon and registers its kernels. The main entry of
 * tfjs-node-gpu is never loaded: it insists on an addon in its own folder, which may be read-only.
 */
export function createNativeBackend(binding: NativeBinding): KernelBackend {
  // tfjs-node 4.22 calls two functions that Node 22 warns of; Node 23 has removed the first.
  const legacy = util as unknown as { isNullOrUndefined: (value: unknown) => boolean };
  legacy.isNullOrUndefined = (value) => value === null || value === undefined;
  util.isArray = Array.isArray;
  requireFromSegfuse("@tensorflow/tfjs-node-gpu/dist/register_all_kernels");
  const { NodeJSKernelBackend } = requireFromSegfuse(
    "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend",
  ) as {
    NodeJSKernelBackend: new (binding: NativeBinding, packageName: string) => KernelBackend & NativeBackend;
  };
  // The name only decides a hint about CUDA that would be printed.
  const backend = new NodeJSKernelBackend(binding, "segfuse");
  tellRefusals(backend);
  return backend;
}

/** Lets every operation say what it was when TensorFlow refuses it, and one that it does not have be computed otherwise. */
function tellRefusals(backend: NativeBackend): void {
  const single = backend.executeSingleOutput.bind(backend);
  const multiple = backend.executeMultipleOutputs.bind(backend);
  backend.executeSingleOutput = (name, attributes, inputs) => {
    try {
      return single(name, attributes, inputs);
    } catch (cause) {
      const error = operationError(name, inputs, cause);
      if (!isRefusedForm(error) || !isDilatedDepthwise(name, attributes)) throw error;
      return dilatedDepthwise(backend, attributes, inputs);
    }
  };
  backend.executeMultipleOutputs = (name, attributes, inputs, outputs) => {
    try {
      return multiple(name, attributes, inputs, outputs);
    } catch (cause) {
      throw operationError(name, inputs, cause);
    }
  };
}
