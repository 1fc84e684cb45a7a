import { shortList } from "../../util/short_list.ts";
import { SegfuseError } from "../../errors.ts";
import { below } from "../names.ts";
import { printable } from "./globals.ts";
import { findStateDicts, isObject, isUsual, usualKeys, type StateDict } from "./state_dict.ts";
import {
  ForbiddenGlobalError,
  PickleDict,
  PickledTensor,
  PickleError,
  PickleList,
  PickleTuple,
  type PickleValue,
} from "./values.ts";

/** Which of a file's state dicts is wanted. */
export interface StateDictChoice {
  /**
   * The keys that lead to it, with dots between them (`ema_state_dict`, `ema.module`), or these and a beginning of its
   * names (`state_dict.teacher`), which is then taken away.
   */
  readonly key?: string | null | undefined;
  /** How many of its names fit what they are for: without a key, the dict in which most do is taken. */
  readonly fits?: ((names: Iterable<string>) => number) | undefined;
}

export interface ChosenStateDict {
  readonly chosen: StateDict;
  /** Keys of all that the file has, `chosen` first. */
  readonly all: readonly string[];
}

/**
 * The state dict that is wanted of what a PyTorch file holds: the one under `key`; else that in which most names
 * fit, of several such the usual one (`state_dict`, `model` …).
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_KEY` where there is none of that key, or it is not clear which is meant
 * @throws PickleError where the file has no tensors; ForbiddenGlobalError where objects are in their place
 */
export function chooseStateDict(path: string, root: PickleValue, choice: StateDictChoice): ChosenStateDict {
  const dicts = findStateDicts(root);
  if (dicts.length === 0) throw withoutTensors(root);
  const { key, fits } = choice;
  const chosen = key == null ? preferred(dicts, fits) : underKey(dicts, key);
  if (chosen === undefined) throw unclear(path, dicts, key ?? null);
  const others = dicts.filter((dict) => dict.key !== chosen.key);
  return { chosen, all: [chosen, ...others].map(describe) };
}

function preferred(dicts: readonly StateDict[], fits: StateDictChoice["fits"]): StateDict | undefined {
  const first = dicts[0]!;
  if (dicts.length === 1) return first;
  if (fits !== undefined) {
    const scores = dicts.map(({ tensors, unreadable }) => fits([...tensors.keys(), ...unreadable.keys()]));
    return dicts[scores.indexOf(Math.max(...scores))];
  }
  if (isUsual(first)) return first;
  // A dict of weights may have another small one inside; two networks side by side are another matter.
  const [size, ...others] = dicts.map(({ tensors }) => tensors.size);
  return first.key === "" && size! > others.reduce((sum, n) => sum + n, 0) ? first : undefined;
}

function underKey(dicts: readonly StateDict[], key: string): StateDict | undefined {
  const exact = dicts.find((dict) => dict.key === key);
  if (exact !== undefined) return exact;
  // A part of a dict: its key, if any, then the beginning of names.
  const [first] = dicts;
  const inside = dicts
    .filter((dict) => key.startsWith(`${dict.key}.`))
    .map((dict) => ({ dict, prefix: `${key.slice(dict.key.length + 1)}.` }));
  for (const { dict, prefix } of [...inside, { dict: first!, prefix: `${key}.` }]) {
    const part = { key, tensors: below(dict.tensors, prefix), unreadable: below(dict.unreadable, prefix) };
    if (part.tensors.size + part.unreadable.size > 0) return part;
  }
  return undefined;
}

function describe({ key, tensors, unreadable }: StateDict): string {
  return `${key === "" ? "the top" : printable(key)} (${tensors.size + unreadable.size} tensors)`;
}

function unclear(path: string, dicts: readonly StateDict[], key: string | null): SegfuseError {
  const message = key === null ? "a file has several state dicts" : "a file has no such state dict";
  return new SegfuseError("SEGFUSE_WEIGHTS_KEY", message, {
    where: path,
    expected: `one of ${shortList(dicts.map(describe))}`,
    ...(key === null ? {} : { found: key }),
    advice: "--key KEY; in a config init_key, or pretrained_key of the backbone",
  });
}

function withoutTensors(root: PickleValue): PickleError {
  if (isObject(root)) return new ForbiddenGlobalError(`the name ${root.name}`);
  if (!(root instanceof PickleDict)) return new PickleError(`no dict of tensors but ${kindOf(root)}`);
  // Whole modules, whose tensors only their own code could name; arrays of other libraries
  const objects = objectsIn(root);
  if (objects.length > 0) return new ForbiddenGlobalError(`no tensors but objects: ${shortList(objects, 4)}`);
  const keys = [...root.items.keys()].filter((key) => typeof key === "string");
  const told = keys.length === 0 ? "none" : shortList(keys.map(printable));
  return new PickleError(`no tensors under ${usualKeys.join(", ")} or at the top, whose keys are ${told}`);
}

/** `model is models.Net`, of a dict and of those under usual keys in it. */
function objectsIn(dict: PickleDict, path = ""): string[] {
  return [...dict.items].flatMap(([key, value]) => {
    if (typeof key !== "string") return [];
    if (isObject(value)) return [`${path}${printable(key)} is ${value.name}`];
    const isInner =
      path === "" && value instanceof PickleDict && (usualKeys as readonly string[]).includes(key);
    return isInner ? objectsIn(value, `${key}.`) : [];
  });
}

function kindOf(value: PickleValue): string {
  if (value instanceof PickledTensor) return "one tensor";
  if (value instanceof PickleList || value instanceof PickleTuple) return "a list";
  return value === null || typeof value !== "object"
    ? `a ${value === null ? "None" : typeof value}`
    : "an object";
}
