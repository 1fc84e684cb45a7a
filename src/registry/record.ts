import type { Static, TObject } from "typebox";
import type { ErrorCode } from "../errors.ts";

/** What a rule says: the option that is at fault, and in words what would be right and what is there. */
export interface RuleFinding {
  /** From the component's own options on: `["range", 0]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  readonly advice?: string;
}

/**
 * A check of a component's options that no schema can make, because it needs more than one of them. It runs when a
 * config is loaded, so that a mistake is told at its line and before anything is built.
 */
export interface ComponentRule<Options> {
  /** Default: `SEGFUSE_COMPONENT_OPTIONS`. */
  readonly code?: ErrorCode;
  /** @param options valid by the schema, defaults filled in */
  check(options: Options): Iterable<RuleFinding>;
}

/** What every component is: a type name, a schema that documents its options, and a way to make it. */
export interface RecordBase<Kind extends string = string, Schema extends TObject = TObject> {
  readonly kind: Kind;
  /** The name that a config writes as `type:`. */
  readonly type: string;
  /** One sentence for `segfuse list`. */
  readonly description: string;
  /** Where the GFF paper (https://arxiv.org/abs/1904.01803) describes it: `3.2, Eq. 5`; for `segfuse list`. */
  readonly paper?: string;
  /** Options without `type`; every option has a default or is required, and has a description. */
  readonly schema: Schema;
  /**
   * Options that an earlier version had, and the option in which they now stand: whoever writes one of them is told so.
   * `{ bins: "context" }`: what was `bins` is now `context: {bins}`.
   */
  readonly moved?: Readonly<Record<string, string>>;
  /** Checks of options against each other. */
  readonly rules?: readonly ComponentRule<Static<Schema>>[];
}

/** A record as its kind's `define…` takes it. */
export type Definition<R> = Omit<R, "kind">;

/**
 * What the `define…` of each kind does: adds the kind. The definition's options have the static type of its schema, so
 * that `create` sees what the schema says; the stored record forgets it again: only validated options reach `create`.
 */
export function defineRecord<R extends RecordBase>(kind: R["kind"], definition: object): R {
  return { kind, ...definition } as unknown as R;
}
