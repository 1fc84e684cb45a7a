import type { Fault } from "./owner.ts";

/** One call of a component's method. */
export interface Call {
  /** The component. */
  readonly self: object;
  readonly args: readonly unknown[];
  /** What the component was made with: the arguments of `create`. */
  readonly made: readonly unknown[];
}

/** What is wrong with a result; null: nothing. */
export type Check = (result: unknown, call: Call) => Fault | null;

export interface Contract {
  /** Of what `create` gives. */
  readonly made: Check;
  /** The component's methods that segfuse calls. */
  readonly methods: Readonly<Record<string, Check>>;
  /** Further makers of the record, by name. */
  readonly also?: Readonly<Record<string, { check: Check; methods: Readonly<Record<string, Check>> }>>;
}

/** The first of the methods that an object lacks. */
export function missingMethod(made: unknown, names: readonly string[]): string | undefined {
  return names.find(
    (name) => typeof (made as Record<string, unknown> | null | undefined)?.[name] !== "function",
  );
}
