import type { Logger } from "../util/logger.ts";

/**
 * What the containers hold, by explicit token: the TypeScript runners in use emit no decorator metadata,
 * so nothing is wired by a constructor's types.
 */
export interface Token<T> {
  readonly symbol: symbol;
  /** Never set: ties the token to the type of what it stands for. */
  readonly _type?: T;
}

function token<T>(name: string): Token<T> {
  return { symbol: Symbol.for(`segfuse.${name}`) };
}

/** What one run's parts share; bound in the run's child container. */
export const runTokens = {
  logger: token<Logger>("run.logger"),
  seed: token<number>("run.seed"),
  /** The run's output folder. */
  workDir: token<string>("run.work_dir"),
  /** The engine that was opened (`Engine` of src/engine; the registry knows no engine). */
  engine: token<unknown>("run.engine"),
} as const;

/** The token under which a record lies in the container: one a kind and type. */
export function recordToken(kind: string, type: string): symbol {
  return Symbol.for(`segfuse.record.${kind}.${type}`);
}

/** The token under which all records of a kind lie, in the order of registration. */
export function kindToken(kind: string): symbol {
  return Symbol.for(`segfuse.kind.${kind}`);
}
