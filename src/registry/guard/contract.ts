import { show } from "../../util/show.ts";
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

/** What the methods of a component must give. */
export interface Promises {
  /**
   * Shapes of what `forward` of a network's part gives. They follow from mode and image size, so that an
   * {@link Inspection} looks at them once for each of these, in a trace too, and at segfuse's own components' as well.
   */
  readonly forward?: Check;
  /** Of a plug-in's component, at every call: what a result hangs on, nothing else refuses, and costs next to nothing. */
  readonly methods: Readonly<Record<string, Check>>;
}

export interface Contract extends Promises {
  /** Of what `create` gives. */
  readonly made: Check;
  /** Further makers of the record, by name. */
  readonly also?: Readonly<Record<string, { readonly check: Check } & Promises>>;
}

/** The first of the methods that an object lacks. */
export function missingMethod(made: unknown, names: readonly string[]): string | undefined {
  return names.find(
    (name) => typeof (made as Record<string, unknown> | null | undefined)?.[name] !== "function",
  );
}

/** For methods whose results need no check: what they throw is told as the plug-in's. */
export const anything: Check = () => null;

export function wrong(expected: string, found: unknown): Fault {
  return { expected, found: show(found) };
}

type Class = abstract new (...args: never[]) => object;

/** A frozen module could not be guarded: what stood in its place would hide its weights. */
export function anInstance(made: unknown, base: Class, name: string, or = ""): Fault | null {
  if (!(made instanceof base)) return wrong(`${or}an object of a class that extends ${name}`, made);
  return Object.isExtensible(made)
    ? null
    : { expected: `a ${name} that is not frozen`, found: "a frozen one" };
}

export function hasMethods(made: unknown, ...names: string[]): Fault | null {
  return missingMethod(made, names) === undefined
    ? null
    : wrong(`an object with ${names.map((name) => `${name}()`).join(", ")}`, made);
}

export function ofType(made: unknown, name: string, type: "string" | "number"): Fault | null {
  const value = (made as Record<string, unknown>)[name];
  return typeof value === type ? null : wrong(`an object whose '${name}' is a ${type}`, made);
}
