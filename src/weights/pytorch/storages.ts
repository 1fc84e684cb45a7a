import type { PickledStorage, PickleValue } from "./values.ts";

/** A PyTorch file behind its container format: the pickled object and the storages beside it. */
export interface PytorchContainer {
  /** What `torch.save` was given. */
  readonly root: PickleValue;
  /** Names in it of code that is not run, each once, in the order in which they come. */
  readonly unknown: readonly string[];
  /**
   * Checks that a storage is there in the size that the pickle says.
   *
   * @throws PickleError
   */
  check(storage: PickledStorage): void;
  /** Bytes `begin` to `end` of a storage that was checked. @throws Error where the data is damaged */
  read(storage: PickledStorage, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Pickles describe; they are small. What is larger than this is none. */
export const maxPickleBytes = 32 * 2 ** 20;
