/**
 * The name of a part that a run's scope holds, tied to the part's type: `scope.get(token)` needs no cast. Parts are
 * asked for by explicit tokens and not by the types of a constructor: esbuild, with which tsx and vitest run
 * TypeScript, emits no decorator metadata, and what a factory throws reaches the user as it is.
 */
export interface Token<T> {
  readonly name: string;
  /** The same in every copy of segfuse that a process has loaded. */
  readonly symbol: symbol;
  /** Whether plug-ins may ask for it; errors list no others. */
  readonly isPublic: boolean;
  /** Never set: ties the token to the type of what it stands for. */
  readonly _type?: () => T;
}

/** Tokens by the names of their parts. */
export type Tokens = Readonly<Record<string, Token<unknown>>>;

/** The parts that a table of tokens stands for, by name. */
export type PartsOf<T extends Tokens> = {
  readonly [K in keyof T]: T[K] extends Token<infer Part> ? Part : never;
};

/** A token that plug-ins may use. */
export function token<T>(name: string): Token<T> {
  return { name, symbol: Symbol.for(`segfuse.run.${name}`), isPublic: true };
}

/** A token of segfuse's own. */
export function innerToken<T>(name: string): Token<T> {
  return { ...token<T>(name), isPublic: false };
}

/** The token under which a record lies in the container: one a kind and type. */
export function recordToken(kind: string, type: string): symbol {
  return Symbol.for(`segfuse.record.${kind}.${type}`);
}

/** The token under which all records of a kind lie, in the order of registration. */
export function kindToken(kind: string): symbol {
  return Symbol.for(`segfuse.kind.${kind}`);
}
