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

/** What a config says around a component, for rules that need more than the component's own options. */
export interface Surroundings {
  /** `schedule.iterations`: updates of the whole run. */
  readonly iterations: number;
  /** `optimizer.lr`: the learning rate that the schedule starts from. */
  readonly baseLr: number;
  /** The levels of the network's backbone; null where they are known only when it is built. */
  readonly levels: { readonly count: number; readonly backbone: string } | null;
  /** The network's classes, and the key that says how many; null where the data must be read for that. */
  readonly classes: {
    readonly count: number;
    readonly from: "model.num_classes" | "data.dataset";
  } | null;
}

/**
 * A check of a component's options that no schema can make, because it needs more than one of them, or what stands
 * around the component. It runs when a config is loaded, so that a mistake is told at its line and before anything is
 * built. No one else judges a component's options: another's may have the same names and mean something else.
 */
export interface ComponentRule<Options> {
  /** Default: `SEGFUSE_COMPONENT_OPTIONS`. */
  readonly code?: ErrorCode;
  /** @param options valid by the schema, defaults filled in */
  check(options: Options, around: Surroundings): Iterable<RuleFinding>;
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
  /** Checks of options against each other and against what stands around the component. */
  readonly rules?: readonly ComponentRule<Static<Schema>>[];
}

/** Whether an option is the component's own. A slot's common option of that name then means what the component says. */
export function hasOwnOption({ schema }: RecordBase, name: string): boolean {
  return Object.hasOwn(schema.properties, name);
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
