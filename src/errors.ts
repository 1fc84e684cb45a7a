import { componentsErrors } from "./errors/components.ts";
import { configErrors } from "./errors/config.ts";
import { dataErrors } from "./errors/data.ts";
import { engineErrors } from "./errors/engine.ts";
import { runningErrors } from "./errors/running.ts";
import { weightsErrors } from "./errors/weights.ts";

/**
 * Every error code of segfuse with all that there is to say of it: a file of `src/errors` for each part. A code's exit
 * status is what the command line ends with: 2 for a wrong config or usage, 1 for a failure while running.
 */
export const errorCodes = {
  ...configErrors,
  ...componentsErrors,
  ...dataErrors,
  ...weightsErrors,
  ...runningErrors,
  ...engineErrors,
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** What an error tells beside its message. Each part is one short phrase. */
export interface ErrorDetails {
  /** What would have been right. */
  expected?: string;
  /** What was there instead. */
  found?: string;
  /** A file (with `:line:column` where known), a config path or a weight's name. */
  where?: string;
  /** What the reader can do now. */
  advice?: string;
  cause?: unknown;
}

/**
 * The only error that segfuse throws on purpose. The command line prints {@link SegfuseError.report}
 * without a stack trace (unless `--debug`).
 */
export class SegfuseError extends Error {
  override readonly name = "SegfuseError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
  }

  /** 1: a failure while running; 2: wrong usage or config. */
  get exitCode(): 1 | 2 {
    return errorCodes[this.code].exit;
  }

  /** The whole text that a user sees: code, message, expected, found, where, what to do. */
  report(): string {
    const { expected, found, where, advice } = this.details;
    const lines = [`${this.code}: ${this.message}`];
    if (where !== undefined) lines.push(`  at: ${where}`);
    if (expected !== undefined) lines.push(`  expected: ${expected}`);
    if (found !== undefined) lines.push(`  found: ${found}`);
    if (advice !== undefined) lines.push(`  try: ${advice}`);
    return lines.join("\n");
  }
}
