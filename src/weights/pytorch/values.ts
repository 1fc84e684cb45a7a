import type { Dtype } from "../dtypes.ts";

// What a pickle of a PyTorch file can hold, as plain data. Nothing here has behaviour of the file's choosing.

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleSet
  | PickleDict
  | PickledTensor
  | PickledStorage
  | Global
  | Inert;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickleList {
  constructor(readonly items: PickleValue[]) {}
}

/** Elements in the order in which they came. */
export class PickleSet {
  readonly items: PickleValue[] = [];
}

/** dict, OrderedDict and Counter. Keys are compared as JavaScript's maps do. */
export class PickleDict {
  readonly items = new Map<PickleValue, PickleValue>();
}

/** For keys of dicts and elements of sets. @throws PickleError for what Python cannot hash either */
export function checkHashable(value: PickleValue): void {
  const parts = value instanceof PickleTuple ? value.items : [value];
  for (const part of parts) {
    const isContainer = part instanceof PickleDict || part instanceof PickleList || part instanceof PickleSet;
    if (isContainer || (part instanceof PickleTuple && part !== value)) {
      throw new PickleError("a key that is a container");
    }
  }
}

/**
 * What an object that is kept as its name alone stands for: something known that is of no use for weights (a
 * device, a layout, a NumPy number); an object of code that is not run; a tensor of a kind that is not read.
 */
export type InertKind = "known" | "object" | "tensor";

/** An object that is kept as its name alone. It takes whatever a pickle gives it, and keeps nothing. */
export class Inert {
  constructor(
    readonly name: string,
    readonly kind: InertKind,
  ) {}
}

/** What the elements of a storage are. */
export interface StorageType {
  /** Null: the tensor says it, or it is none that is read (complex, quantised). */
  readonly dtype: Dtype | null;
  /** Bytes of an element; null: not known. */
  readonly width: number | null;
}

/** Bytes, whose meaning the tensor says. */
export const untyped: StorageType = { dtype: null, width: 1 };

/** A run of elements that the file holds beside the pickle. */
export class PickledStorage {
  constructor(
    readonly key: string,
    readonly type: StorageType,
    /** Of the storage's class. */
    readonly typeName: string,
    /** Elements; bytes where untyped. */
    readonly count: number,
    /** Where the storage is a part of another (before PyTorch 0.4): elements from the root's start. */
    readonly rootOffset: number,
  ) {}

  /** The size that the file must hold. @throws PickleError where the type's width is not known */
  get bytes(): number {
    if (this.type.width === null) throw new PickleError(`a storage of the unknown type ${this.typeName}`);
    return this.count * this.type.width;
  }
}

/** A view of a storage. Offset and strides count elements. */
export class PickledTensor {
  constructor(
    readonly storage: PickledStorage,
    readonly dtype: Dtype,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A known name of a Python module: all that it can do is in `call`. */
export interface GlobalBehaviour {
  /** What `name(*args)` means; absent: it cannot be called. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
  /** Of storage classes. */
  readonly storage?: StorageType;
  /** Of dtypes. */
  readonly dtype?: Dtype;
}

/** A name of a Python module. Nothing is looked up under it. */
export class Global {
  constructor(
    readonly name: string,
    /** Null: the name is not known; whatever it makes is inert. */
    readonly behaviour: GlobalBehaviour | null,
  ) {}

  /** What calling an unknown name gives. */
  placeholder(): Inert {
    return new Inert(this.name, /^torch\._(utils|tensor)\._rebuild_/.test(this.name) ? "tensor" : "object");
  }
}

/** A pickle that is broken, or uses what no weight file needs. */
export class PickleError extends Error {}

/** A pickle that has something in a tensor's place that only code, which is not run, could make. */
export class ForbiddenGlobalError extends PickleError {}
