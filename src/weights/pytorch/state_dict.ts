import {
  PickleDict,
  PickledTensor,
  PickleError,
  PickleList,
  PickleTuple,
  type PickleValue,
} from "./values.ts";

/** Under which a checkpoint holds its weights, the usual first. */
const nests = ["state_dict", "model_state_dict", "model_state", "model", "net", "network", "module"];
const maxNesting = 4;
const wrapper = "module.";

/**
 * The named tensors of what a PyTorch file holds: of the object itself, or of the dict that it keeps under one of
 * the usual names beside the optimiser's state. `module.` (of DataParallel) before every name is taken away.
 *
 * @throws PickleError where no such dict is found
 */
export function findStateDict(root: PickleValue): Map<string, PickledTensor> {
  let dict = root;
  for (let depth = 0; dict instanceof PickleDict && depth < maxNesting; depth++) {
    const below = nested(dict);
    if (below === null) break;
    dict = below;
  }
  if (!(dict instanceof PickleDict)) throw new PickleError(`no dict of tensors but ${kindOf(dict)}`);
  const tensors = tensorsOf(dict);
  if (tensors.size === 0) {
    const keys = [...dict.items.keys()].filter((key) => typeof key === "string");
    const told = keys.length === 0 ? "none" : keys.slice(0, 8).join(", ") + (keys.length > 8 ? ", …" : "");
    throw new PickleError(`no tensors under ${nests.join(", ")} or at the top, whose keys are ${told}`);
  }
  return withoutWrapper(tensors);
}

function nested(dict: PickleDict): PickleDict | null {
  for (const name of nests) {
    const value = dict.items.get(name);
    if (value instanceof PickleDict && (tensorsOf(value).size > 0 || wrapsAnother(value))) return value;
  }
  return null;
}

/** A dict that only wraps another one: `{"model": {"state_dict": …}}`. */
function wrapsAnother(dict: PickleDict): boolean {
  return nests.some((name) => {
    const value = dict.items.get(name);
    return value instanceof PickleDict && tensorsOf(value).size > 0;
  });
}

function tensorsOf(dict: PickleDict): Map<string, PickledTensor> {
  const tensors = new Map<string, PickledTensor>();
  for (const [name, value] of dict.items) {
    if (typeof name === "string" && value instanceof PickledTensor) tensors.set(name, value);
  }
  return tensors;
}

function withoutWrapper(tensors: Map<string, PickledTensor>): Map<string, PickledTensor> {
  const isWrapped = [...tensors.keys()].every((name) => name.startsWith(wrapper) && name !== wrapper);
  if (!isWrapped) return tensors;
  return withoutWrapper(new Map([...tensors].map(([name, tensor]) => [name.slice(wrapper.length), tensor])));
}

function kindOf(value: PickleValue): string {
  if (value instanceof PickledTensor) return "one tensor";
  if (value instanceof PickleList || value instanceof PickleTuple) return "a list";
  return value === null || typeof value !== "object"
    ? `a ${value === null ? "None" : typeof value}`
    : "an object";
}
