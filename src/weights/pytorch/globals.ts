import { bytesPerElement, type Dtype } from "../dtypes.ts";
import { byteLength } from "../weight_file.ts";
import {
  checkHashable,
  Global,
  Inert,
  PickleDict,
  PickledStorage,
  PickledTensor,
  PickleError,
  PickleList,
  PickleSet,
  PickleTuple,
  untyped,
  type GlobalBehaviour,
  type PickleValue,
  type StorageType,
} from "./values.ts";

/** Views whose elements repeat (`expand`) may be this large; larger ones are a claim that nothing in the file backs. */
const maxRepeatedElements = 2 ** 24;
const maxRank = 64;
const maxShownName = 120;

const typed = (dtype: Dtype): StorageType => ({ dtype, width: bytesPerElement(dtype) });
/** Of elements that are not read. Their width says where the next storage of a legacy file begins. */
const unread = (width: number): StorageType => ({ dtype: null, width });

const storageClasses: Record<string, StorageType> = {
  DoubleStorage: typed("F64"),
  FloatStorage: typed("F32"),
  HalfStorage: typed("F16"),
  BFloat16Storage: typed("BF16"),
  LongStorage: typed("I64"),
  IntStorage: typed("I32"),
  ShortStorage: typed("I16"),
  CharStorage: typed("I8"),
  ByteStorage: typed("U8"),
  BoolStorage: typed("BOOL"),
  ComplexFloatStorage: unread(8),
  ComplexDoubleStorage: unread(16),
  QInt8Storage: unread(1),
  QUInt8Storage: unread(1),
  QInt32Storage: unread(4),
  QUInt4x2Storage: unread(1),
  QUInt2x4Storage: unread(1),
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

const inert = (name: string): GlobalBehaviour => ({ call: () => new Inert(name, "known") });

/**
 * The names that mean something here. Each entry is a few lines of this file: no code of the pickle's choosing
 * is found, imported or called, and every other name only makes placeholders. NumPy's numbers and dtypes stand in
 * many training checkpoints (best scores) and mean nothing to weights.
 */
const known = new Map<string, GlobalBehaviour>([
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
  ["numpy.dtype", inert("numpy.dtype")],
  ["numpy.core.multiarray.scalar", inert("numpy scalar")],
  ["numpy._core.multiarray.scalar", inert("numpy scalar")],
  ["torch.storage.UntypedStorage", { storage: untyped }],
  ...Object.entries(storageClasses).map(
    ([name, storage]) => [`torch.${name}`, { storage }] as [string, GlobalBehaviour],
  ),
  ...Object.entries(dtypes).map(([name, dtype]) => [`torch.${name}`, { dtype }] as [string, GlobalBehaviour]),
]);

/** What a name stands for; of names that are not known nothing but the name. */
export function findGlobal(module: string, name: string): Global {
  // Python 2's name of the same module
  const path = `${module === "__builtin__" ? "builtins" : module}.${name}`;
  return new Global(printable(path), known.get(path) ?? null);
}

/** A text of a file as it can be shown: a name that is not known may hold anything. */
export function printable(text: string): string {
  const shown = text.slice(0, maxShownName).replace(/[^\x20-\x7e\u00a1-\ud7ff]/g, "?");
  return text.length > maxShownName ? `${shown}…` : shown;
}

/**
 * What a persistent id stands for: `("storage", class, key, location, count[, view])`, or, in the format before 1.6,
 * `("module", class, file, source)`, which is that class.
 *
 * @throws PickleError for every other id
 */
export function persistent(id: PickleValue): PickledStorage | Global {
  if (id instanceof PickleTuple && id.items[0] === "module" && id.items[1] instanceof Global)
    return id.items[1];
  if (!(id instanceof PickleTuple) || id.items[0] !== "storage") {
    throw new PickleError("a reference to something that is no storage");
  }
  const [, type, key, , count, view = null] = id.items;
  const isStorage =
    type instanceof Global && (type.behaviour === null || type.behaviour.storage !== undefined);
  if (!isStorage || typeof key !== "string") throw new PickleError("a storage without type and key");
  const storageType = type.behaviour?.storage ?? { dtype: null, width: null };
  const total = size(count, "a storage's size");
  if (view === null) return new PickledStorage(key, storageType, type.name, total, 0);
  // (key of the view, offset into the root, size): the count beside it is the root's.
  const [, offset, length] = tuple(view, "a storage's view").items;
  const [start, end] = [size(offset, "a view's offset"), size(length, "a view's size")];
  if (start + end > total) throw new PickleError(`a view beyond its storage ${key}`);
  return new PickledStorage(key, storageType, type.name, total, start);
}

/** (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]); the older one ends after stride. */
function rebuildTensor(args: readonly PickleValue[]): PickledTensor | Inert {
  const [storage, offset, shape, strides, , , metadata = null] = args;
  if (!(storage instanceof PickledStorage) || storage.type === untyped) {
    throw new PickleError("a tensor without a storage");
  }
  const { dtype } = storage.type;
  if (dtype === null) return new Inert(`a tensor in ${storage.typeName}`, "tensor");
  return view(storage, dtype, offset, shape, strides, metadata);
}

/** (storage, offset, size, stride, requires_grad, backward_hooks, dtype[, metadata]) */
function rebuildUntypedTensor(args: readonly PickleValue[]): PickledTensor | Inert {
  const [storage, offset, shape, strides, , , type, metadata = null] = args;
  if (!(storage instanceof PickledStorage) || !(type instanceof Global)) {
    throw new PickleError("a tensor without storage and type");
  }
  // complex and 8-bit floats among them
  if (type.behaviour === null || storage.type.width === null) {
    return new Inert(`a tensor of ${type.name}`, "tensor");
  }
  const { dtype } = type.behaviour;
  if (dtype === undefined) throw new PickleError("a tensor without storage and type");
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
  const held = storage.type.dtype === null ? storage.count / width : storage.count;
  const end = elements === 0 ? start : start + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i]!, 1);
  if (!(end <= held - storage.rootOffset) || elements > Math.max(held, maxRepeatedElements)) {
    throw new PickleError(`a tensor [${shape.join(", ")}] in a storage of ${held} elements`);
  }
  return new PickledTensor(storage, dtype, start, shape, strides);
}

/** (function, type, arguments, state): a tensor with attributes, of PyTorch's classes. */
function rebuildFromType([make, type, args]: readonly PickleValue[]): PickleValue {
  for (const part of [make, type]) {
    if (part instanceof Global && part.behaviour === null) return new Inert(part.name, "tensor");
  }
  if (!(make instanceof Global) || !make.name.startsWith("torch._utils._rebuild_")) {
    throw new PickleError("a tensor of a class of its own");
  }
  return make.behaviour!.call!(tuple(args, "a tensor's parts").items);
}

function firstTensor([tensor]: readonly PickleValue[]): PickledTensor | Inert {
  if (tensor instanceof PickledTensor) return tensor;
  if (tensor instanceof Inert && tensor.kind !== "known") return new Inert(tensor.name, "tensor");
  throw new PickleError("a parameter without a tensor");
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
