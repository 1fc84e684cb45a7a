import { closest, distance } from "fastest-levenshtein";
import { anything, wrong, type Contract } from "../../registry/guard/contract.ts";
import type { Fault } from "../../registry/guard/owner.ts";
import { show } from "../../util/show.ts";
import type { Hook } from "./contracts.ts";

/** All that a run asks of a hook. */
const methods: Record<keyof Hook, true> = {
  beforeRun: true,
  beforeUpdate: true,
  beforeStep: true,
  afterUpdate: true,
  beforeEvaluation: true,
  afterEvaluation: true,
  afterCheckpoint: true,
  onLog: true,
  afterRun: true,
  onError: true,
  close: true,
  state: true,
  loadState: true,
  tensors: true,
};
const hookMethods = Object.keys(methods);

/** What a plug-in's hook must give. */
export const hookContract: Contract = {
  made: checkHook,
  methods: {
    ...Object.fromEntries(hookMethods.map((name) => [name, anything])),
    // What a checkpoint could not hold would be lost without a word.
    state: (state) => (state === undefined ? null : jsonFault(state)),
    tensors: (tensors) => (tensors instanceof Map ? null : wrong("a Map of parameters by name", tensors)),
    beforeEvaluation: (undo) =>
      undo === undefined || typeof undo === "function"
        ? null
        : wrong("nothing, or a function that undoes it", undo),
  },
};

/** What of a value JSON would change or leave out. */
function jsonFault(value: unknown, place = "state"): Fault | null {
  if (value === null || typeof value === "boolean" || typeof value === "string" || Number.isFinite(value))
    return null;
  const isPlain =
    typeof value === "object" &&
    [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value) as object);
  if (!isPlain)
    return {
      expected: "what JSON holds: text, finite numbers, true, false, null, lists and plain objects",
      found: `${show(value)} as ${place}`,
    };
  for (const [key, part] of Object.entries(value)) {
    const fault = jsonFault(part, `${place}.${key}`);
    if (fault !== null) return fault;
  }
  return null;
}

/** A hook whose method has a slip of the pen in its name would never be called. */
function checkHook(made: unknown): Fault | null {
  if (typeof made !== "object" || made === null)
    return { expected: "an object with a hook's methods", found: show(made) };
  const names = functionNames(made);
  if (!names.some((name) => hookMethods.includes(name))) {
    return { expected: `at least one of ${hookMethods.join(", ")}`, found: names.join(", ") || show(made) };
  }
  for (const name of names) {
    const nearest = closest(name, hookMethods);
    const isSlip = name !== nearest && distance(name.toLowerCase(), nearest.toLowerCase()) <= 1;
    if (isSlip) return { expected: nearest, found: `the method ${name}, which no run calls` };
  }
  return null;
}

function functionNames(object: object): string[] {
  const names = new Set<string>();
  for (
    let at: object | null = object;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof value === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}
