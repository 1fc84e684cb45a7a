import { open, type FileHandle } from "node:fs/promises";
import { SegfuseError } from "../errors.ts";
import { decode, isFloating, type Dtype, type TensorValues } from "./dtypes.ts";

/** A tensor in memory: floats of any width as Float32Array, U8 as Uint8Array, other integers as Int32Array. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: TensorValues;
}

/** What a file says of a tensor before its data is read. */
export interface TensorInfo {
  readonly dtype: Dtype;
  /** In PyTorch's order: OIHW. */
  readonly shape: readonly number[];
}

export type Metadata = Readonly<Record<string, string>>;

/** An open file of named tensors; what it holds is known and checked, a tensor's data is read when it is asked for. */
export abstract class WeightFile {
  abstract readonly path: string;
  /** In the file's order. */
  abstract readonly entries: ReadonlyMap<string, TensorInfo>;
  abstract readonly metadata: Metadata;
  /** Names, beside those of `entries`, of weights that cannot be read without running code, and what they are. */
  readonly unreadable: ReadonlyMap<string, string> = new Map();
  /** What a user should know of the file, in words. */
  readonly notes: readonly string[] = [];

  abstract close(): Promise<void>;

  /** A tensor's elements, row-major, little-endian, in a buffer of their own. The name is one of `entries`. */
  protected abstract data(name: string): Promise<Uint8Array<ArrayBuffer>>;

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** All names, those of `unreadable` included. */
  names(): string[] {
    return [...this.entries.keys(), ...this.unreadable.keys()];
  }

  /**
   * What the file says of a tensor.
   *
   * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where it has none of this name, `SEGFUSE_WEIGHTS_GLOBAL` where only code
   * could make it
   */
  info(name: string): TensorInfo {
    const info = this.entries.get(name);
    if (info !== undefined) return info;
    const object = this.unreadable.get(name);
    if (object !== undefined) throw needsCode(this.path, `${name} is ${object}`);
    throw new SegfuseError("SEGFUSE_WEIGHTS_FILE", "a weight file lacks a tensor", {
      where: this.path,
      found: `no tensor named '${name}'`,
    });
  }

  /** A tensor's little-endian bytes in the file's own element type. @throws SegfuseError as {@link info}, and where reading fails */
  async readBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    this.info(name);
    return this.data(name);
  }

  /** Reads one tensor. @throws SegfuseError as {@link readBytes}, and where an integer does not fit into 32 bits */
  async read(name: string): Promise<StoredTensor> {
    const { dtype, shape } = this.info(name);
    return { shape, data: decode(dtype, await this.data(name), `${this.path}, tensor ${name}`) };
  }

  /** {@link read} for weights. @throws SegfuseError `SEGFUSE_WEIGHTS_DTYPE` for integers and booleans */
  async readFloats(name: string): Promise<Float32Array> {
    const { dtype } = this.info(name);
    if (!isFloating(dtype)) throw notFloating(this.path, [`${name} is ${dtype}`]);
    return (await this.read(name)).data as Float32Array;
  }
}

/** For what is due as a weight, and only code could make. */
export function needsCode(path: string, found: string, cause?: unknown): SegfuseError {
  return new SegfuseError("SEGFUSE_WEIGHTS_GLOBAL", "a PyTorch file needs code, and none of it is run", {
    where: path,
    expected: "tensors, containers, numbers and text",
    found,
    advice: "in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them",
    cause,
  });
}

/** For weights that a file holds as integers. */
export function notFloating(path: string, found: readonly string[]): SegfuseError {
  return new SegfuseError("SEGFUSE_WEIGHTS_DTYPE", "a weight file has integers where weights are due", {
    where: path,
    expected: "F32, F16, BF16 or F64",
    found: found.slice(0, 4).join("; ") + (found.length > 4 ? `; … (${found.length} in all)` : ""),
  });
}

/** A file opened for reading, with its size. @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` */
export async function openForReading(path: string): Promise<{ handle: FileHandle; size: number }> {
  try {
    const handle = await open(path, "r");
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw new Error(status.isDirectory() ? "a folder" : "no regular file");
      return { handle, size: status.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const message = isMissing ? "there is no such weight file" : "a weight file cannot be opened";
    const found = isMissing ? {} : { found: (cause as Error).message };
    throw new SegfuseError("SEGFUSE_WEIGHTS_FILE", message, { where: path, ...found, cause });
  }
}

/** Exactly `length` bytes. @throws Error where the file ends before */
export async function readExactly(
  handle: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const part = Math.min(length - at, 2 ** 30);
    const { bytesRead } = await handle.read(bytes, at, part, position + at);
    if (bytesRead === 0) throw new Error("the file ends too early");
    at += bytesRead;
  }
  return bytes;
}

/** `count` things of a shape and width; not a safe integer where nothing of that size can exist. */
export function byteLength(shape: readonly number[], width: number): number {
  // Zero wins over any other size, however large.
  return shape.includes(0) ? 0 : shape.reduce((product, n) => product * n, width);
}
