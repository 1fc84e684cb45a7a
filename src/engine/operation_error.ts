// Types alone: data workers import this and load no TensorFlow.js.
import type { TensorInfo } from "@tensorflow/tfjs";
import { SegfuseError, type ErrorCode } from "../errors.ts";

/** TensorFlow's status codes (`TF_Code` of its C interface) that an operation can end with, by number. */
const statuses: Readonly<Record<number, string>> = {
  1: "CANCELLED",
  2: "UNKNOWN",
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  8: "RESOURCE_EXHAUSTED",
  9: "FAILED_PRECONDITION",
  10: "ABORTED",
  11: "OUT_OF_RANGE",
  12: "UNIMPLEMENTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
};

const lessAtOnce =
  "less at once: a smaller data.batch_size or data.crop_size, model.backbone.with_cp; for evaluation, mode slide with a smaller window";
const otherEngine =
  "`--set engine.type=wasm` computes it, slowly; please report it with what `segfuse doctor` says";
const report = "run again with --debug and report the stack trace; in a plug-in: correct the shapes";

/** The status in the text of an error of tfjs-node's addon; null for errors that are none of TensorFlow's. */
function statusOf(error: unknown): { code: number; message: string } | null {
  const match =
    error instanceof Error ? /^Invalid TF_Status: (\d+)\s*(?:Message: )?(.*)/.exec(error.message) : null;
  return match === null ? null : { code: Number(match[1]), message: match[2]! };
}

/**
 * What an operation that the native library refused is told as: operation, shapes, TensorFlow's own words. The part
 * of the network is added by `within`. Errors that are no refusal of TensorFlow come back as they are.
 *
 * @param name TensorFlow's name of the operation
 */
export function operationError(name: string, inputs: readonly TensorInfo[], cause: unknown): unknown {
  const status = statusOf(cause);
  if (status === null) return cause;
  const shapes = inputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ");
  const word = statuses[status.code] ?? `status ${status.code}`;
  const details = {
    found: `${status.message}${shapes === "" ? "" : `, of ${shapes}`}`,
    advice: word === "RESOURCE_EXHAUSTED" ? lessAtOnce : word === "UNIMPLEMENTED" ? otherEngine : report,
    cause,
  };
  // TensorFlow.js alone is ten calls deep, and the line of a plug-in is looked for behind it.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  try {
    return new SegfuseError(
      "SEGFUSE_ENGINE_OPERATION",
      `TensorFlow refuses the operation ${name} (${word})`,
      details,
    );
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * Whether TensorFlow refused this form of an operation, so that another form of the same may do: on a CPU without
 * oneDNN, forward passes with dilations are UNIMPLEMENTED and backward passes an INVALID_ARGUMENT.
 */
export function isRefusedForm(error: unknown): boolean {
  if (!(error instanceof SegfuseError) || error.code !== "SEGFUSE_ENGINE_OPERATION") return false;
  return [3, 12].includes(statusOf(error.cause)?.code ?? 0);
}

/** Of what is asked for by somebody else's code, which alone tells where. */
const placeless: readonly ErrorCode[] = ["SEGFUSE_ENGINE_OPERATION", "SEGFUSE_RUN_PART"];

/** The same error; where it is an operation's or a missing part's and nobody has said yet whose, now it does. */
export function inPart(error: unknown, part: string | undefined): unknown {
  if (error instanceof SegfuseError && placeless.includes(error.code) && part !== undefined)
    error.details.where ??= part;
  return error;
}
