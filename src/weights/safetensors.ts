import { shortList } from "../util/short_list.ts";
import type { FileHandle } from "node:fs/promises";
import { SegfuseError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic_file.ts";
import { bytesPerElement, encode, type Dtype, type TensorValues, type WrittenDtype } from "./dtypes.ts";
import { below } from "./names.ts";
import { checkOffsets, parseHeader, type Header, type TensorEntry } from "./safetensors_header.ts";
import {
  byteLength,
  openForReading,
  readExactly,
  WeightFile,
  type Metadata,
  type StoredTensor,
  type TensorInfo,
} from "./weight_file.ts";

export type { Metadata, StoredTensor } from "./weight_file.ts";

// The safetensors format (https://huggingface.co/docs/safetensors): 8 bytes of header length (little endian),
// a JSON header { name: { dtype, shape, data_offsets: [begin, end] }, __metadata__: { … } }, then the data.

/** Larger headers are refused, as the reference implementation does. */
const maxHeaderBytes = 100_000_000;

/** An open safetensors file, its header read and checked; a tensor's data is read when it is asked for. */
export class SafetensorsFile extends WeightFile {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Metadata;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly dataStart: number,
    header: Header,
  ) {
    super();
    this.entries = header.entries;
    this.metadata = header.metadata;
  }

  /**
   * @param key a beginning of names: the file is then what comes after it (`teacher` of `teacher.conv.weight`)
   * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where the file is missing or is no safetensors file,
   * `SEGFUSE_WEIGHTS_KEY` where no name begins with `key`
   */
  static async open(path: string, key?: string | null): Promise<SafetensorsFile> {
    const { handle, size } = await openForReading(path);
    try {
      const { header, dataStart } = await readHeader(handle, size);
      if (key == null) return new SafetensorsFile(path, handle, dataStart, header);
      const entries = below(header.entries, `${key}.`);
      if (entries.size === 0) throw noSuchNames(path, key, [...header.entries.keys()]);
      return new SafetensorsFile(path, handle, dataStart, { ...header, entries });
    } catch (error) {
      await handle.close();
      throw error instanceof SegfuseError ? error : invalid(path, (error as Error).message, error);
    }
  }

  protected async data(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { begin, end } = this.entries.get(name)!;
    try {
      return await readExactly(this.handle, this.dataStart + begin, end - begin);
    } catch (error) {
      throw invalid(this.path, (error as Error).message, error);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

function noSuchNames(path: string, key: string, names: readonly string[]): SegfuseError {
  return new SegfuseError("SEGFUSE_WEIGHTS_KEY", "no name of a safetensors file begins with the key", {
    where: path,
    expected: `the beginning of a name: ${shortList(names, 4)}`,
    found: key,
    advice: "no key: a safetensors file holds one state dict alone",
  });
}

/** Reads a whole file. For large files where a part is enough, see {@link SafetensorsFile}. */
export async function readSafetensors(
  path: string,
): Promise<{ tensors: Map<string, StoredTensor>; metadata: Metadata }> {
  const file = await SafetensorsFile.open(path);
  try {
    const tensors = new Map<string, StoredTensor>();
    for (const name of file.entries.keys()) tensors.set(name, await file.read(name));
    return { tensors, metadata: file.metadata };
  } finally {
    await file.close();
  }
}

/** A tensor that is to be written; its bytes are asked for when their turn has come. */
export interface TensorSource {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Row-major, little-endian, exactly as many as `dtype` and `shape` say. */
  readonly bytes: () => Uint8Array | Promise<Uint8Array>;
}

type Tensors = ReadonlyMap<string, StoredTensor> | Readonly<Record<string, StoredTensor>>;

/**
 * Writes a file, whole or not at all, one tensor in memory at a time. The same tensors and metadata give the
 * same bytes, in whatever order they come.
 */
export async function writeTensors(
  path: string,
  tensors: ReadonlyMap<string, TensorSource>,
  metadata: Metadata = {},
): Promise<void> {
  const list = inOrder(tensors);
  await writeFileAtomically(path, chunks());

  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* headerOf(list, metadata);
    for (const [name, { dtype, shape, bytes }] of list) {
      const data = await bytes();
      if (data.byteLength !== byteLength(shape, bytesPerElement(dtype)))
        throw new Error(`${name}: ${data.byteLength} bytes for ${dtype} [${shape.join(", ")}]`);
      yield data;
    }
  }
}

export interface WriteOptions {
  /** Of floats; integers stay what they are. Default F32. */
  readonly dtype?: WrittenDtype | undefined;
}

/**
 * {@link writeTensors} of tensors in memory. Float32Array is stored as F32 or F16, Int32Array as I32,
 * Uint8Array as U8.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_DTYPE` where a number is too large for F16
 */
export async function writeSafetensors(
  path: string,
  tensors: Tensors,
  metadata: Metadata = {},
  { dtype }: WriteOptions = {},
): Promise<void> {
  await writeTensors(path, sourcesOf(tensors, path, dtype), metadata);
}

/** A file's bytes in order, as {@link writeSafetensors} writes them (F32); the tensors' own memory, not copied. */
export function safetensorsChunks(tensors: Tensors, metadata: Metadata = {}): Uint8Array[] {
  const list = inOrder(sourcesOf(tensors, "memory"));
  return [...headerOf(list, metadata), ...list.map(([, { bytes }]) => bytes())];
}

function sourcesOf(tensors: Tensors, path: string, floats: WrittenDtype = "F32") {
  const list: [string, StoredTensor][] = isMap(tensors) ? [...tensors] : Object.entries(tensors);
  return new Map(
    list.map(([name, { shape, data }]) => {
      if (byteLength(shape, 1) !== data.length)
        throw new Error(`${name}: shape [${shape.join(", ")}] does not hold ${data.length} values`);
      const dtype = dtypeOf(data, floats);
      const bytes = (): Uint8Array =>
        dtype === "F16"
          ? encode(dtype, data as Float32Array, `${path}, tensor ${name}`)
          : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [name, { dtype, shape, bytes }];
    }),
  );
}

/** Wide elements first keeps every tensor aligned; by name within one width, as the reference implementation. */
function inOrder<T extends TensorInfo>(tensors: ReadonlyMap<string, T>): [string, T][] {
  return [...tensors].sort(
    ([a, x], [b, y]) => bytesPerElement(y.dtype) - bytesPerElement(x.dtype) || (a < b ? -1 : a > b ? 1 : 0),
  );
}

/** The length of the header and the header. */
function headerOf(list: readonly [string, TensorInfo][], metadata: Metadata): Uint8Array[] {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(["__metadata__", sortedByKey(metadata)]);
  let position = 0;
  for (const [name, { dtype, shape }] of list) {
    if (name === "__metadata__") throw new Error("a tensor cannot be named __metadata__");
    const end = position + byteLength(shape, bytesPerElement(dtype));
    header.push([name, { dtype, shape, data_offsets: [position, end] }]);
    position = end;
  }
  // Written by hand: an object would sort names such as "0" first.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = Buffer.from(json);
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, " ");
  text.copy(padded);
  if (padded.length > maxHeaderBytes) throw new Error(`a header of ${padded.length} bytes`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [length, padded];
}

function isMap<T>(
  value: ReadonlyMap<string, T> | Readonly<Record<string, T>>,
): value is ReadonlyMap<string, T> {
  return value instanceof Map;
}

function dtypeOf(data: TensorValues, floats: WrittenDtype): Dtype {
  if (data instanceof Float32Array) return floats;
  return data instanceof Int32Array ? "I32" : "U8";
}

function sortedByKey(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function invalid(path: string, found: string, cause?: unknown): SegfuseError {
  return new SegfuseError("SEGFUSE_WEIGHTS_FILE", "this is no usable safetensors file", {
    where: path,
    found,
    cause,
  });
}

async function readHeader(
  handle: FileHandle,
  fileSize: number,
): Promise<{ header: Header; dataStart: number }> {
  if (fileSize < 8) throw new Error(`${fileSize} bytes, too short for a header`);
  const prefix = await readExactly(handle, 0, 8);
  const headerLength = new DataView(prefix.buffer).getBigUint64(0, true);
  if (headerLength > BigInt(maxHeaderBytes))
    throw new Error(`a header length of ${headerLength.toString()} bytes`);
  const dataStart = 8 + Number(headerLength);
  if (dataStart > fileSize)
    throw new Error(`a header of ${headerLength.toString()} bytes in a file of ${fileSize}`);
  const bytes = await readExactly(handle, 8, Number(headerLength));
  const header = parseHeader(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  checkOffsets(header.entries, fileSize - dataStart);
  return { header, dataStart };
}
