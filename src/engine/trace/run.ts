import * as tf from "@tensorflow/tfjs";
import { SegfuseError } from "../../errors.ts";
import { TraceBackend } from "./backend.ts";
import { shapeFunctions } from "./shapes/index.ts";
import type { KernelInputs } from "./shapes/types.ts";

const backendName = "trace";

/**
 * Runs `run` with TF.js tracing: every operation is recorded with its shapes, nothing is computed and no data
 * is held. The engine that was active before is active again afterwards, and nothing of the trace stays in
 * TF.js. Everything happens before this returns, so no other code meets the tracing engine.
 *
 * @param run uses tensors of the tracing backend (`TraceBackend.tensor`) and those it makes from numbers; its
 *   result must not hold tensors
 * @throws SegfuseError `SEGFUSE_TRACE_OPERATION` for an operation that the trace does not know,
 *   `SEGFUSE_TRACE_VALUES` where a tensor's values are read
 */
export function runTraced<T>(run: (trace: TraceBackend) => T): { result: T; trace: TraceBackend } {
  // Null before any engine was opened, whatever the declaration says.
  const before = tf.getBackend() as string | null | undefined;
  if (before === backendName) throw new Error("a trace inside of a trace");
  const trace = new TraceBackend();
  register(trace);
  try {
    // Where the backend is made at once, `setBackend` has done its work when it returns its promise.
    void tf.setBackend(backendName);
    const result = tf.engine().tidy(() => run(trace) as tf.TensorContainer) as T;
    return { result, trace };
  } catch (error) {
    throw unknownOperation(error, trace.failedAt) ?? located(error, trace.failedAt);
  } finally {
    if (before != null) void tf.setBackend(before);
    unregister();
  }
}

function register(trace: TraceBackend): void {
  tf.registerBackend(backendName, () => trace, 0);
  for (const [kernelName, shapes] of Object.entries(shapeFunctions)) {
    const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) => {
      const tensors = inputs as KernelInputs;
      const attributes = (attrs ?? {}) as Readonly<Record<string, unknown>>;
      const outputs = trace.record(kernelName, tensors, attributes, shapes(tensors, attributes as never));
      return lists.has(kernelName) || outputs.length > 1 ? outputs : outputs[0]!;
    };
    tf.registerKernel({ kernelName, backendName, kernelFunc });
  }
}

/** Kernels that give a list even where it is of one tensor. */
const lists = new Set(["SplitV", "Unpack"]);

function unregister(): void {
  for (const kernelName of Object.keys(shapeFunctions)) tf.unregisterKernel(kernelName, backendName);
  tf.removeBackend(backendName);
}

/** An error of a module that cannot know its own name, with it. */
function located(error: unknown, path: string): unknown {
  if (!(error instanceof SegfuseError) || error.details.where !== undefined || path === "") return error;
  const placed = new SegfuseError(error.code, error.message, { ...error.details, where: path });
  if (error.stack !== undefined) placed.stack = error.stack;
  return placed;
}

/** TF.js's complaint about a kernel that the backend does not have, in our words. */
function unknownOperation(error: unknown, path: string): SegfuseError | null {
  const name = error instanceof Error ? /^Kernel '(.+)' not registered/.exec(error.message)?.[1] : undefined;
  if (name === undefined) return null;
  return new SegfuseError("SEGFUSE_TRACE_OPERATION", `the trace does not know the operation ${name}`, {
    ...(path === "" ? {} : { where: path }),
    expected: "operations whose output shape follows from shapes: TF.js's on maps, matrices and images",
    found: name,
    advice: "write the module with other operations, or add the operation's shape to src/engine/trace/shapes",
    cause: error,
  });
}
