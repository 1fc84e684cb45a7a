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

/** Something of no use for weights (a device, a layout, a NumPy number), kept as its name. */
export class Inert {
  constructor(readonly name: string) {}
}

/** A run of elements that the file holds beside the pickle. */
export class PickledStorage {
  constructor(
    readonly key: string,
    /** Null: untyped, the tensor says it. */
    readonly dtype: Dtype | null,
    /** Elements; bytes where untyped. */
    readonly count: number,
    /** Where the storage is a part of another (before PyTorch 0.4): elements from the root's start. */
    readonly rootOffset: number,
  ) {}
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

/** An allowed name of a Python module: all that it can do is in `call`. */
export interface GlobalBehaviour {
  /** What `name(*args)` means; absent: it cannot be called. */
  readonly call?: (args: readonly PickleValue[]) => PickleValue;
  /** Of storage classes; null: untyped. */
  readonly storage?: { readonly dtype: Dtype | null };
  /** Of dtypes. */
  readonly dtype?: Dtype;
}

export class Global {
  constructor(
    readonly name: string,
    readonly behaviour: GlobalBehaviour,
  ) {}
}

/** A pickle that is broken, or uses what no weight file needs. */
export class PickleError extends Error {}

/** A pickle that names something outside the list of what is known to be harmless. */
export class ForbiddenGlobalError extends PickleError {
  constructor(readonly global: string) {
    super(`the name ${global}`);
  }
}
