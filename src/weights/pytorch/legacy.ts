import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { readExactly } from "../weight_file.ts";
import { readPickle, type ByteSource } from "./pickle.ts";
import { maxPickleBytes, type PytorchContainer } from "./storages.ts";
import {
  PickleDict,
  PickleError,
  PickleList,
  untyped,
  type PickledStorage,
  type PickleValue,
} from "./values.ts";

const magic = 0x1950a86a20f9469cfc6cn;
const formatVersion = 1001;

/**
 * The format before PyTorch 1.6: pickles of a magic number, a version, the machine, the object and the list of
 * storages' keys, one after the other; then each storage, its number of elements (8 bytes) and its data. It has
 * no checksums.
 */
export class LegacyContainer implements PytorchContainer {
  private constructor(
    private readonly handle: FileHandle,
    readonly root: PickleValue,
    readonly unknown: readonly string[],
    /** Where each storage begins. */
    private readonly places: ReadonlyMap<string, number>,
  ) {}

  /** @throws PickleError */
  static open(handle: FileHandle, fileSize: number): LegacyContainer {
    const source = new FileSource(handle.fd, fileSize);
    if (source.peek() !== 0x80) throw new PickleError("neither a zip archive nor a pickle");
    if (readPickle(source) !== magic) throw new PickleError("another magic number than PyTorch's");
    const version = readPickle(source);
    if (version !== formatVersion)
      throw new PickleError(`another version of the format than ${formatVersion}`);
    const machine = readPickle(source);
    if (!(machine instanceof PickleDict) || machine.items.get("little_endian") !== true) {
      throw new PickleError("the byte order of another machine");
    }
    // By what the object says of its storages, the data's element types and sizes are known.
    const types = new Map<string, PickledStorage>();
    const unknown = new Set<string>();
    const root = readPickle(source, {
      onStorage: (storage) => {
        const before = types.get(storage.key) ?? storage;
        if (storage.type === untyped || !sameKind(before, storage)) {
          throw new PickleError(`a storage ${storage.key} of two sizes or types, or of none`);
        }
        types.set(storage.key, storage);
      },
      onUnknown: (name) => unknown.add(name),
    });
    const keys = readPickle(source);
    if (!(keys instanceof PickleList)) throw new PickleError("no list of storages");
    const places = new Map<string, number>();
    let position = source.position;
    for (const key of keys.items) {
      const storage = typeof key === "string" ? types.get(key) : undefined;
      if (storage === undefined || places.has(storage.key)) {
        throw new PickleError("a list of storages that does not fit the object");
      }
      const count = countAt(handle.fd, position, fileSize);
      if (count !== BigInt(storage.count)) {
        throw new PickleError(`a storage of ${count} elements where ${storage.count} are due`);
      }
      places.set(storage.key, position + 8);
      position += 8 + storage.bytes;
      if (position > fileSize) {
        const type = storage.type.dtype ?? storage.typeName;
        throw new PickleError(`a storage of ${count} ${type}, in a file of ${fileSize} bytes`);
      }
    }
    if (position !== fileSize) throw new PickleError(`${fileSize - position} bytes after the last storage`);
    return new LegacyContainer(handle, root, [...unknown], places);
  }

  check(storage: PickledStorage): void {
    if (!this.places.has(storage.key)) throw new PickleError(`no storage ${storage.key}`);
  }

  read(storage: PickledStorage, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return readExactly(this.handle, this.places.get(storage.key)! + begin, end - begin);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

function sameKind(a: PickledStorage, b: PickledStorage): boolean {
  return a.typeName === b.typeName && a.count === b.count;
}

function countAt(fd: number, position: number, fileSize: number): bigint {
  const bytes = Buffer.alloc(8);
  if (position + 8 > fileSize) throw new PickleError("the file ends before its last storage");
  readSync(fd, bytes, 0, 8, position);
  return bytes.readBigInt64LE();
}

/** The beginning of a file, read in pieces as the pickles ask for them. */
class FileSource implements ByteSource {
  private buffer = Buffer.alloc(0);
  private bufferStart = 0;
  private at = 0;

  constructor(
    private readonly fd: number,
    private readonly fileSize: number,
  ) {}

  /** The next byte, which stays the next; undefined at the end. */
  peek(): number | undefined {
    if (this.at === this.fileSize) return undefined;
    const byte = this.take(1)[0];
    this.at--;
    return byte;
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.at;
  }

  take(length: number): Uint8Array {
    if (length > this.fileSize - this.at) throw new PickleError("the file ends inside a pickle");
    if (this.at + length > maxPickleBytes)
      throw new PickleError(`more than ${maxPickleBytes} bytes of pickle`);
    if (this.at + length > this.bufferStart + this.buffer.length) {
      // A new buffer: what was taken of the old one stays as it is.
      const next = Buffer.alloc(Math.min(Math.max(length, 2 ** 16), this.fileSize - this.at));
      for (let filled = 0; filled < next.length;) {
        const read = readSync(this.fd, next, filled, next.length - filled, this.at + filled);
        if (read === 0) throw new PickleError("the file ends inside a pickle");
        filled += read;
      }
      [this.buffer, this.bufferStart] = [next, this.at];
    }
    const from = this.at - this.bufferStart;
    this.at += length;
    return this.buffer.subarray(from, from + length);
  }
}
