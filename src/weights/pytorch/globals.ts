import { bytesPerElement, type Dtype } from "../dtypes.ts";
import { byteLength } from "../weight_file.ts";
import {
  checkHashable,
  ForbiddenGlobalError,
  Global,
  Inert,
  PickleDict,
  PickledStorage,
  PickledTensor,
  PickleError,
  PickleList,
  PickleSet,
  PickleTuple,
  type GlobalBehaviour,
  type PickleValue,
} from "./values.ts";

/** Views whose elements repeat (`expand`) may be this large; larger ones are a claim that nothing in the file backs. */
const maxRepeatedElements = 2 ** 24;
const maxRank = 64;

const storageClasses: Record<string, Dtype> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

const dtypes: Record<string, Dtype> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};

const inert = (name: string): GlobalBehaviour => ({ call: () => new Inert(name) });

/**
 * Everything that a PyTorch file may name. Each entry is a few lines of this file: no code of the pickle's
 * choosing is found, imported or called. NumPy's numbers and dtypes stand in many training checkpoints
 * (best scores) and mean nothing to weights.
 */
const allowed = new Map<string, GlobalBehaviour>([
  ["collections.OrderedDict", { call: dictOf }],
  ["collections.Counter", { call: dictOf }],
  ["builtins.set", { call: setOf }],
  ["builtins.frozenset", { call: setOf }],
  ["builtins.bytearray", { call: bytesOf }],
  ["builtins.complex", inert("complex")],
  ["_codecs.encode", { call: bytesOf }],
  ["torch._utils._rebuild_tensor", { call: rebuildTensor }],
  ["torch._utils._rebuild_tensor_v2", { call: rebuildTensor }],
  ["torch._utils._rebuild_tensor_v3", { call: rebuildUntypedTensor }],
  ["torch._utils._rebuild_parameter", { call: firstTensor }],
  ["torch._utils._rebuild_parameter_with_state", { call: firstTensor }],
  ["torch.nn.parameter.Parameter", { call: firstTensor }],
  ["torch._tensor._rebuild_from_type_v2", { call: rebuildFromType }],
  ["torch.Tensor", {}],
  ["torch.Size", { call: ([size]) => tuple(size, "torch.Size") }],
  ["torch.device", inert("torch.device")],
  ["torch.serialization._get_layout", inert("torch.layout")],
  ["numpy.dtype", { call: numberType }],
  ["numpy.core.multiarray.scalar", inert("numpy scalar")],
  ["numpy._core.multiarray.scalar", inert("numpy scalar")],
  ["torch.storage.UntypedStorage", { storage: { dtype: null } }],
  ...Object.entries(storageClasses).map(
    ([name, dtype]) => [`torch.${name}`, { storage: { dtype } }] as [string, GlobalBehaviour],
  ),
  ...Object.entries(dtypes).map(([name, dtype]) => [`torch.${name}`, { dtype }] as [string, GlobalBehaviour]),
]);

/** @throws ForbiddenGlobalError for every name that is not on the list */
export function findGlobal(module: string, name: string): Global {
  // Python 2's name of the same module
  const path = `${module === "__builtin__" ? "builtins" : module}.${name}`;
  const behaviour = allowed.get(path);
  if (behaviour === undefined) throw new ForbiddenGlobalError(path);
  return new Global(path, behaviour);
}

/**
 * What a persistent id stands for: `("storage", class, key, location, count[, view])`.
 *
 * @throws PickleError for every other id
 */
export function storageOf(id: PickleValue): PickledStorage {
  if (!(id instanceof PickleTuple) || id.items[0] !== "storage") {
    throw new PickleError("a reference to something that is no storage");
  }
  const [, type, key, , count, view = null] = id.items;
  if (!(type instanceof Global) || type.behaviour.storage === undefined || typeof key !== "string") {
    throw new PickleError("a storage without type and key");
  }
  const { dtype } = type.behaviour.storage;
  if (view === null) return new PickledStorage(key, dtype, size(count, "a storage's size"), 0);
  // (key of the view, offset into the root, size): the count beside it is the root's.
  const [, offset, length] = tuple(view, "a storage's view").items;
  const [start, end] = [size(offset, "a view's offset"), size(length, "a view's size")];
  if (start + end > size(count, "a storage's size"))
    throw new PickleError(`a view beyond its storage ${key}`);
  return new PickledStorage(key, dtype, size(count, "a storage's size"), start);
}

/** (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]); the older one ends after stride. */
function rebuildTensor(args: readonly PickleValue[]): PickledTensor {
  const [storage, offset, shape, strides, , , metadata = null] = args;
  if (!(storage instanceof PickledStorage) || storage.dtype === null) {
    throw new PickleError("a tensor without a storage");
  }
  return view(storage, storage.dtype, offset, shape, strides, metadata);
}

/** (storage, offset, size, stride, requires_grad, backward_hooks, dtype[, metadata]) */
function rebuildUntypedTensor(args: readonly PickleValue[]): PickledTensor {
  const [storage, offset, shape, strides, , , type, metadata = null] = args;
  const dtype = type instanceof Global ? type.behaviour.dtype : undefined;
  if (!(storage instanceof PickledStorage) || dtype === undefined) {
    throw new PickleError("a tensor without storage and type");
  }
  return view(storage, dtype, offset, shape, strides, metadata);
}

function view(
  storage: PickledStorage,
  dtype: Dtype,
  offset: PickleValue | undefined,
  sizes: PickleValue | undefined,
  steps: PickleValue | undefined,
  metadata: PickleValue,
): PickledTensor {
  // Conjugate and negative bits: the elements would not be what the storage holds.
  if (metadata !== null && !(metadata instanceof PickleDict && metadata.items.size === 0)) {
    throw new PickleError("a tensor with a conjugate or negative bit");
  }
  const start = size(offset, "a tensor's offset");
  const shape = tuple(sizes, "a tensor's shape").items.map((n) => size(n, "a tensor's shape"));
  const strides = tuple(steps, "a tensor's strides").items.map((n) => size(n, "a tensor's strides"));
  if (shape.length !== strides.length || shape.length > maxRank) {
    throw new PickleError(`a tensor of ${shape.length} sizes and ${strides.length} strides`);
  }
  const elements = byteLength(shape, 1);
  const width = bytesPerElement(dtype);
  const held = storage.dtype === null ? storage.count / width : storage.count;
  const end = elements === 0 ? start : start + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, 1);
  if (!(end <= held - storage.rootOffset) || elements > Math.max(held, maxRepeatedElements)) {
    throw new PickleError(`a tensor [${shape.join(", ")}] in a storage of ${held} elements`);
  }
  return new PickledTensor(storage, dtype, start, shape, strides);
}

/** (function, type, arguments, state): a tensor with attributes. */
function rebuildFromType([make, , args]: readonly PickleValue[]): PickleValue {
  if (!(make instanceof Global) || !make.name.startsWith("torch._utils._rebuild_")) {
    throw new PickleError("a tensor of a class of its own");
  }
  return make.behaviour.call!(tuple(args, "a tensor's parts").items);
}

function firstTensor([tensor]: readonly PickleValue[]): PickledTensor {
  if (tensor instanceof PickledTensor) return tensor;
  throw new PickleError("a parameter without a tensor");
}

/** NumPy's name of a number type: a kind and its bytes. */
function numberType([name]: readonly PickleValue[]): Inert {
  if (typeof name === "string" && /^(b1|[iu][1248]|f(2|4|8|16)|c(8|16|32))$/.test(name))
    return new Inert(name);
  throw new PickleError("a NumPy type that is no number");
}

/** From nothing, a dict or pairs. */
function dictOf([content]: readonly PickleValue[]): PickleDict {
  const dict = new PickleDict();
  if (content instanceof PickleDict) for (const [key, value] of content.items) dict.items.set(key, value);
  else if (content !== undefined) {
    for (const pair of items(content, "a dict's content")) {
      const [key, value] = items(pair, "a dict's pair");
      if (key === undefined || value === undefined) throw new PickleError("a dict's pair of less than two");
      checkHashable(key);
      dict.items.set(key, value);
    }
  }
  return dict;
}

function setOf([content]: readonly PickleValue[]): PickleSet {
  const set = new PickleSet();
  for (const item of content === undefined ? [] : items(content, "a set's content")) {
    checkHashable(item);
    set.items.push(item);
  }
  return set;
}

/** `encode(text, "latin1")` and `bytearray(…)`: bytes, which weights have no use for. */
function bytesOf([content = null]: readonly PickleValue[]): Uint8Array {
  if (content instanceof Uint8Array) return content;
  return typeof content === "string" ? Buffer.from(content, "latin1") : new Uint8Array(0);
}

function items(value: PickleValue, what: string): readonly PickleValue[] {
  if (value instanceof PickleTuple || value instanceof PickleList) return value.items;
  throw new PickleError(`${what} that is no list`);
}

function tuple(value: PickleValue | undefined, what: string): PickleTuple {
  if (value instanceof PickleTuple) return value;
  if (value instanceof PickleList) return new PickleTuple([...value.items]);
  throw new PickleError(`${what} that is no tuple`);
}

function size(value: PickleValue | undefined, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  const told = typeof value === "number" || typeof value === "bigint" ? String(value) : "no number";
  throw new PickleError(`${what} of ${told}`);
}
