import { Global, Inert, PickleDict, PickledTensor, type PickleValue } from "./values.ts";

/** Under which a checkpoint holds its weights, the usual first. */
export const usualKeys = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "net",
  "network",
  "module",
] as const;
const maxNesting = 4;
const maxStateDicts = 100;

/** Under such keys are tensors of another kind: an optimiser's moments, random generators, best scores. */
const noWeights = /optim|sched|scaler|rng|loops|callbacks/i;

/** What PyTorch's wrappers put before names; taken away where every name has it. */
const wrappers = ["module.", "_orig_mod."];

/** The named tensors in one dict of what a file holds. */
export interface StateDict {
  /** The keys that lead there, with dots between them; empty: what was saved is the dict. */
  readonly key: string;
  readonly tensors: ReadonlyMap<string, PickledTensor>;
  /** Entries in a tensor's place that are none which can be read, and what they are. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Every dict with named tensors in what a PyTorch file holds, but an optimiser's, in the order in which they are
 * preferred: under the usual keys, at the top, then as in the file. `module.` (of DataParallel) before every name is
 * taken away, and so is `_orig_mod.` (of torch.compile).
 */
export function findStateDicts(root: PickleValue): StateDict[] {
  const found: { place: number; dict: StateDict }[] = [];
  const seen = new Set<PickleValue>();
  const queue: { path: readonly string[]; value: PickleValue }[] = [{ path: [], value: root }];
  for (let at = 0; at < queue.length && found.length < maxStateDicts; at++) {
    const { path, value } = queue[at]!;
    if (!(value instanceof PickleDict) || seen.has(value)) continue;
    seen.add(value);
    const dict = stateDict(path.join("."), value);
    if (dict !== null) found.push({ place: place(path), dict });
    if (path.length === maxNesting) continue;
    for (const [key, inner] of value.items) {
      if (typeof key === "string" && !noWeights.test(key)) queue.push({ path: [...path, key], value: inner });
    }
  }
  return found.sort((a, b) => a.place - b.place).map(({ dict }) => dict);
}

/** Whether a dict lies where checkpoints usually have their weights. */
export function isUsual({ key }: StateDict): boolean {
  return place(key === "" ? [] : key.split(".")) < usualKeys.length;
}

/** Something that only code, which is not run, could make. */
export function isObject(value: PickleValue | undefined): value is Inert | Global {
  return value instanceof Inert
    ? value.kind !== "known"
    : value instanceof Global && value.behaviour === null;
}

function place(path: readonly string[]): number {
  const places = path.map((key) => (usualKeys as readonly string[]).indexOf(key));
  if (places.includes(-1)) return usualKeys.length + 1;
  return places[0] ?? usualKeys.length;
}

function stateDict(key: string, { items }: PickleDict): StateDict | null {
  const tensors = new Map<string, PickledTensor>();
  const unreadable = new Map<string, string>();
  let hasTensors = false;
  for (const [name, value] of items) {
    if (typeof name !== "string") continue;
    if (value instanceof PickledTensor) tensors.set(name, value);
    // what PyTorch's modules keep beside their tensors may be anything
    else if (isObject(value) && !name.endsWith("_extra_state")) unreadable.set(name, value.name);
    hasTensors ||= value instanceof PickledTensor || (value instanceof Inert && value.kind === "tensor");
  }
  if (!hasTensors) return null;
  const wrapper = commonWrapper([...(tensors.size > 0 ? tensors : unreadable).keys()]);
  return { key, tensors: unwrap(tensors, wrapper), unreadable: unwrap(unreadable, wrapper) };
}

function commonWrapper(names: readonly string[]): string {
  for (let common = ""; ;) {
    const next = wrappers.find((wrapper) =>
      names.every((name) => name.startsWith(common + wrapper) && name !== common + wrapper),
    );
    if (next === undefined) return common;
    common += next;
  }
}

function unwrap<T>(entries: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  const inner = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return new Map([...entries].map(([name, value]) => [inner(name), value]));
}
