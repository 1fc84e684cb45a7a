import { open, type FileHandle } from "node:fs/promises";
import { SegfuseError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic_file.ts";
import { bytesPerElement, decode, type Dtype, type TensorValues } from "./dtypes.ts";

// The safetensors format (https://huggingface.co/docs/safetensors): 8 bytes of header length (little endian),
// a JSON header { name: { dtype, shape, data_offsets: [begin, end] }, __metadata__: { … } }, then the data.

/** A tensor in a file: floats of any width as Float32Array, U8 as Uint8Array, other integers as Int32Array. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: TensorValues;
}

export interface TensorEntry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Position after the header, in bytes. */
  readonly begin: number;
  readonly end: number;
}

export type Metadata = Readonly<Record<string, string>>;

/** Larger headers are refused, as the reference implementation does. */
const maxHeaderBytes = 100_000_000;

/** An open safetensors file, its header read and checked; a tensor's data is read when it is asked for. */
export class SafetensorsFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly dataStart: number,
    readonly entries: ReadonlyMap<string, TensorEntry>,
    readonly metadata: Metadata,
  ) {}

  /** @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where the file is missing or is no safetensors file */
  static async open(path: string): Promise<SafetensorsFile> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (cause) {
      const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
      throw new SegfuseError(
        "SEGFUSE_WEIGHTS_FILE",
        isMissing ? "there is no such weight file" : "a weight file cannot be opened",
        {
          where: path,
          ...(isMissing ? {} : { found: (cause as Error).message }),
          cause,
        },
      );
    }
    try {
      const fileSize = (await handle.stat()).size;
      const { entries, metadata, dataStart } = await readHeader(handle, fileSize, path);
      return new SafetensorsFile(path, handle, dataStart, entries, metadata);
    } catch (error) {
      await handle.close();
      if (error instanceof SegfuseError) throw error;
      throw invalid(path, (error as Error).message, error);
    }
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Reads one tensor. @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where the file has no such tensor, or its type is not read here */
  async read(name: string): Promise<StoredTensor> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw invalid(this.path, `no tensor named '${name}'`);
    const bytes = await readBytes(
      this.handle,
      this.dataStart + entry.begin,
      entry.end - entry.begin,
      this.path,
    );
    return { shape: entry.shape, data: decode(entry.dtype, bytes, `${this.path}, tensor ${name}`) };
  }

  /** {@link read} for weights: integers and booleans become floats as well. */
  async readFloats(name: string): Promise<Float32Array> {
    const { data } = await this.read(name);
    return data instanceof Float32Array ? data : Float32Array.from(data);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
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

/**
 * Writes a file, whole or not at all. Float32Array is stored as F32, Int32Array as I32, Uint8Array as U8.
 * The same tensors and metadata give the same bytes, in whatever order they come.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor> | Readonly<Record<string, StoredTensor>>,
  metadata: Metadata = {},
): Promise<void> {
  await writeFileAtomically(path, safetensorsChunks(tensors, metadata));
}

/** A file's bytes in order, as {@link writeSafetensors} writes them; the tensors' own memory, not copied. */
export function safetensorsChunks(
  tensors: ReadonlyMap<string, StoredTensor> | Readonly<Record<string, StoredTensor>>,
  metadata: Metadata = {},
): Uint8Array[] {
  const list: [string, StoredTensor][] = isMap(tensors) ? [...tensors] : Object.entries(tensors);
  // Wide elements first keeps every tensor aligned; by name within one width, as the reference implementation.
  list.sort(
    ([a, x], [b, y]) => y.data.BYTES_PER_ELEMENT - x.data.BYTES_PER_ELEMENT || (a < b ? -1 : a > b ? 1 : 0),
  );
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(["__metadata__", sortedByKey(metadata)]);
  let position = 0;
  for (const [name, { shape, data }] of list) {
    if (name === "__metadata__") throw new Error("a tensor cannot be named __metadata__");
    const size = shape.reduce((product, n) => product * n, 1);
    if (size !== data.length)
      throw new Error(`${name}: shape [${shape.join(", ")}] does not hold ${data.length} values`);
    const end = position + data.byteLength;
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [position, end] }]);
    position = end;
  }
  // Written by hand: an object would sort names such as "0" first.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = Buffer.from(json);
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, " ");
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [
    length,
    padded,
    ...list.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
}

function isMap<T>(
  value: ReadonlyMap<string, T> | Readonly<Record<string, T>>,
): value is ReadonlyMap<string, T> {
  return value instanceof Map;
}

function dtypeOf(data: TensorValues): Dtype {
  if (data instanceof Float32Array) return "F32";
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

async function readBytes(
  handle: FileHandle,
  position: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const part = Math.min(length - at, 2 ** 30);
    const { bytesRead } = await handle.read(bytes, at, part, position + at);
    if (bytesRead === 0) throw invalid(path, "the file ends too early");
    at += bytesRead;
  }
  return bytes;
}

async function readHeader(handle: FileHandle, fileSize: number, path: string) {
  if (fileSize < 8) throw invalid(path, `${fileSize} bytes, too short for a header`);
  const prefix = await readBytes(handle, 0, 8, path);
  const headerLength = new DataView(prefix.buffer).getBigUint64(0, true);
  if (headerLength > BigInt(maxHeaderBytes))
    throw invalid(path, `a header length of ${headerLength.toString()} bytes`);
  const dataStart = 8 + Number(headerLength);
  if (dataStart > fileSize)
    throw invalid(path, `a header of ${headerLength.toString()} bytes in a file of ${fileSize}`);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(
    await readBytes(handle, 8, Number(headerLength), path),
  );
  if (!text.startsWith("{")) throw invalid(path, "a header that does not begin with '{'");
  const header = JSON.parse(text) as Record<string, unknown>;
  const entries = new Map<string, TensorEntry>();
  let metadata: Metadata = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = checkMetadata(value, path);
    else entries.set(name, checkEntry(name, value, path));
  }
  checkOffsets(entries, fileSize - dataStart, path);
  return { entries, metadata, dataStart };
}

function checkMetadata(value: unknown, path: string): Metadata {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMap || Object.values(value).some((v) => typeof v !== "string")) {
    throw invalid(path, "__metadata__ that is no map of strings");
  }
  return value as Metadata;
}

function checkEntry(name: string, value: unknown, path: string): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !shape.every(isSize)) {
    throw invalid(path, `a header entry '${name}' without type and shape`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw invalid(path, `a header entry '${name}' without its place`);
  }
  const [begin, end] = offsets as [number, number];
  const width = bytesPerElement(dtype);
  if (width === undefined) throw invalid(path, `tensor '${name}' of unknown type ${dtype}`);
  const expected = shape.reduce((product, n) => product * n, width);
  if (!Number.isSafeInteger(expected) || end - begin !== expected) {
    throw invalid(path, `tensor '${name}': ${end - begin} bytes for ${dtype} [${shape.join(", ")}]`);
  }
  return { dtype: dtype as Dtype, shape, begin, end };
}

/** The tensors must fill the data without gaps or overlaps: nothing can hide in a file, nothing is shared. */
function checkOffsets(entries: ReadonlyMap<string, TensorEntry>, dataSize: number, path: string): void {
  let position = 0;
  for (const [name, { begin, end }] of [...entries].sort(
    ([, a], [, b]) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== position)
      throw invalid(path, `tensor '${name}' begins at byte ${begin}, not at ${position}`);
    position = end;
  }
  if (position !== dataSize)
    throw invalid(path, `${dataSize} bytes of data where the header describes ${position}`);
}
