import { read } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import * as yauzl from "yauzl";
import { readExactly } from "../weight_file.ts";
import { BufferSource, readPickle } from "./pickle.ts";
import { maxPickleBytes, type PytorchContainer } from "./storages.ts";
import { PickleError, type PickledStorage, type PickleValue } from "./values.ts";

/**
 * PyTorch stores everything as it is. Archives that were packed again are read as well, but an entry that
 * unpacks to more than this many times its size (and to more than a little) is a zip bomb.
 */
const maxRatio = 100;
const littleBytes = 2 ** 20;

/**
 * The zip format of PyTorch 1.6 and later: `NAME/data.pkl`, and `NAME/data/KEY` for each storage. Checksums are
 * checked: of an entry's content before any of it is used for the first time.
 */
export class ZipContainer implements PytorchContainer {
  private readonly checked = new Set<string>();

  private constructor(
    private readonly zip: yauzl.ZipFile,
    private readonly entries: ReadonlyMap<string, yauzl.Entry>,
    /** `NAME/` */
    private readonly folder: string,
    readonly root: PickleValue,
    readonly unknown: readonly string[],
  ) {}

  /**
   * Takes the file over, and closes it where it fails.
   *
   * @throws PickleError, or an Error of the archive
   */
  static async open(handle: FileHandle, fileSize: number): Promise<ZipContainer> {
    const reader = new BoundedReader(handle, fileSize);
    const zip = await yauzl
      .fromRandomAccessReaderPromise(reader, fileSize, { autoClose: false })
      .catch(async (error: unknown) => {
        await handle.close();
        throw error;
      });
    try {
      const entries = await listEntries(zip, fileSize);
      const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
      if (pickles.length !== 1) {
        throw new PickleError(`a zip archive with ${pickles.length === 0 ? "no" : "more than one"} data.pkl`);
      }
      const folder = pickles[0]!.slice(0, -"data.pkl".length);
      if (entries.has(`${folder}constants.pkl`))
        throw new PickleError(
          "a TorchScript archive, which holds code; in PyTorch: torch.save(torch.jit.load(path).state_dict(), …)",
        );
      const content = (name: string, limit: number) => readWhole(zip, entries.get(folder + name), limit);
      const order = await content("byteorder", 16);
      if (order !== null && Buffer.from(order).toString("latin1").trim() !== "little") {
        throw new PickleError("the byte order of another machine");
      }
      const pickle = await content("data.pkl", maxPickleBytes);
      const unknown = new Set<string>();
      const root = readPickle(new BufferSource(pickle!), { onUnknown: (name) => unknown.add(name) });
      return new ZipContainer(zip, entries, folder, root, [...unknown]);
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  check(storage: PickledStorage): void {
    const entry = this.entries.get(this.name(storage));
    const { bytes } = storage;
    if (entry === undefined) throw new PickleError(`no data/${storage.key}`);
    if (entry.uncompressedSize !== bytes) {
      throw new PickleError(`data/${storage.key} of ${entry.uncompressedSize} bytes where ${bytes} are due`);
    }
  }

  async read(storage: PickledStorage, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const name = this.name(storage);
    const entry = this.entries.get(name)!;
    const bytes = await readRange(this.zip, entry, begin, end, !this.checked.has(name));
    this.checked.add(name);
    return bytes;
  }

  close(): Promise<void> {
    this.zip.close();
    return Promise.resolve();
  }

  private name({ key }: PickledStorage): string {
    return `${this.folder}data/${key}`;
  }
}

/**
 * Refuses places outside the file. (yauzl's own reader hands them to the file system, which throws in a callback
 * where nobody can catch it.)
 */
class BoundedReader extends yauzl.RandomAccessReader {
  constructor(
    private readonly handle: FileHandle,
    private readonly fileSize: number,
  ) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(pieces(this.handle, start, end));
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!(position >= 0 && position + length <= this.fileSize)) {
      setImmediate(() => callback(new PickleError(`a place outside the file: byte ${position}`)));
      return;
    }
    read(this.handle.fd, buffer, offset, length, position, callback);
  }

  override close(callback: (error: Error | null) => void): void {
    this.handle.close().then(() => callback(null), callback);
  }
}

/** (A file stream would close the file with itself, whatever it is told, when its reader stops early.) */
async function* pieces(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const bytes = await readExactly(handle, at, Math.min(2 ** 20, end - at));
    yield Buffer.from(bytes.buffer);
    at += bytes.length;
  }
}

async function listEntries(zip: yauzl.ZipFile, fileSize: number): Promise<Map<string, yauzl.Entry>> {
  const entries = new Map<string, yauzl.Entry>();
  let packed = 0;
  for await (const entry of zip.eachEntry()) {
    const { fileName: name, compressedSize, uncompressedSize } = entry;
    if (entries.has(name)) throw new PickleError(`two entries '${name}'`);
    entries.set(name, entry);
    // Entries that lie over each other unpack the same bytes many times.
    packed += compressedSize;
    if (packed > fileSize) throw new PickleError("entries that are larger together than the file");
    if (uncompressedSize > Math.max(littleBytes, maxRatio * compressedSize)) {
      throw new PickleError(`a zip bomb: '${name}' unpacks ${compressedSize} bytes to ${uncompressedSize}`);
    }
  }
  return entries;
}

/** Null where there is no such entry. */
async function readWhole(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry | undefined,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (entry === undefined) return null;
  const { uncompressedSize, fileName } = entry;
  if (uncompressedSize > limit) throw new PickleError(`'${fileName}' of ${uncompressedSize} bytes`);
  return readRange(zip, entry, 0, uncompressedSize, true);
}

/** Bytes of an entry; with `isFirst` the whole entry is read, in pieces, and its checksum compared. */
async function readRange(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  begin: number,
  end: number,
  isFirst: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  const { fileName, compressedSize, uncompressedSize, compressionMethod } = entry;
  const isPacked = compressionMethod !== 0;
  if ((entry.generalPurposeBitFlag & 1) !== 0 || (isPacked && compressionMethod !== 8)) {
    throw new PickleError(`'${fileName}' is packed in a way that PyTorch does not use`);
  }
  const header = await zip.readLocalFileHeaderPromise(entry, { minimal: false });
  // Names decide which data is which tensor's, and they are outside the checksums: both copies must agree.
  if (!header.fileName.equals(entry.fileNameRaw)) throw new PickleError(`'${fileName}' has two names`);
  const isPartial = !isFirst && !isPacked;
  const range = isPartial ? ([begin, end] as const) : ([0, compressedSize] as const);
  const stream = await openStream(zip, header.fileDataStart, entry, range, isPacked);
  const bytes = new Uint8Array(end - begin);
  let at = isPartial ? begin : 0;
  let checksum = 0;
  for await (const chunk of stream) {
    if (isFirst) checksum = crc32(chunk, checksum);
    const [from, to] = [Math.max(begin - at, 0), Math.min(end - at, chunk.length)];
    if (from < to) bytes.set(chunk.subarray(from, to), at + from - begin);
    at += chunk.length;
  }
  if (at < end || (!isPartial && at !== uncompressedSize))
    throw new PickleError(`'${fileName}' ends too early`);
  if (isFirst && checksum !== entry.crc32)
    throw new PickleError(`'${fileName}' is damaged: its checksum differs`);
  return bytes;
}

/** (yauzl 3.4's own promise of this calls another function.) */
function openStream(
  zip: yauzl.ZipFile,
  start: number,
  { compressedSize, uncompressedSize }: yauzl.Entry,
  [begin, end]: readonly [number, number],
  isPacked: boolean,
): Promise<AsyncIterable<Buffer>> {
  return new Promise((resolve, reject) => {
    zip.openReadStreamLowLevel(
      start,
      compressedSize,
      begin,
      end,
      isPacked,
      uncompressedSize,
      (error: Error | null, stream) => {
        if (error !== null) return reject(error);
        // Whoever reads is told of an error; one that comes after the last read must not end the process.
        stream.on("error", () => undefined);
        resolve(stream);
      },
    );
  });
}
