import { bytesPerElement, type Dtype } from "./dtypes.ts";
import { byteLength, type Metadata, type TensorInfo } from "./weight_file.ts";

export interface TensorEntry extends TensorInfo {
  /** Position after the header, in bytes. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Metadata;
}

/** No entry of a tensor is longer than this: it has a type, a shape and two offsets. */
const maxEntryLength = 4096;

/**
 * Reads a safetensors header. `JSON.parse` alone would not do: it keeps the last of several equal names, and
 * a header of nothing but brackets takes many times its size in memory before anyone sees that it is none.
 *
 * @throws Error that says what is wrong
 */
export function parseHeader(text: string): Header {
  const entries = new Map<string, TensorEntry>();
  let metadata: Metadata | undefined;
  const scanner = new Scanner(text);
  for (const [name, place, value] of scanner.members()) {
    if (name === "__metadata__") {
      if (metadata !== undefined) throw new Error("two entries '__metadata__'");
      metadata = checkMetadata(value(text.length));
    } else {
      if (entries.has(name)) throw new Error(`two tensors '${name}' (the second at character ${place})`);
      entries.set(name, checkEntry(name, value(maxEntryLength)));
    }
  }
  return { entries, metadata: metadata ?? {} };
}

/** The tensors must fill the data without gaps or overlaps: nothing can hide in a file, nothing is shared. */
export function checkOffsets(entries: ReadonlyMap<string, TensorEntry>, dataSize: number): void {
  let position = 0;
  const inOrder = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  for (const [name, { begin, end }] of inOrder) {
    if (begin !== position) throw new Error(`tensor '${name}' begins at byte ${begin}, not at ${position}`);
    position = end;
  }
  if (position !== dataSize)
    throw new Error(`${dataSize} bytes of data where the header describes ${position}`);
}

function checkMetadata(value: unknown): Metadata {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMap || Object.values(value).some((v) => typeof v !== "string")) {
    throw new Error("__metadata__ that is no map of strings");
  }
  return value as Metadata;
}

function checkEntry(name: string, value: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (typeof dtype !== "string" || !Array.isArray(shape)) {
    throw new Error(`a header entry '${name}' without type and shape`);
  }
  if (!shape.every(isSize)) throw new Error(`tensor '${name}' of shape [${shape.join(", ")}]`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw new Error(`a header entry '${name}' without its place`);
  }
  const [begin, end] = offsets as [number, number];
  const width = bytesPerElement(dtype);
  if (width === undefined) throw new Error(`tensor '${name}' of unknown type ${dtype}`);
  const expected = byteLength(shape, width);
  if (!Number.isSafeInteger(expected) || end - begin !== expected) {
    throw new Error(`tensor '${name}': ${end - begin} bytes for ${dtype} [${shape.join(", ")}]`);
  }
  return { dtype: dtype as Dtype, shape, begin, end };
}

/** Walks the outermost object of a JSON text; values are cut out by their brackets and parsed one by one. */
class Scanner {
  private at = 0;

  constructor(private readonly text: string) {}

  /** Name, its position, and a function that parses the value, to be called before the next member is asked for. */
  *members(): Generator<[name: string, place: number, value: (maxLength: number) => unknown]> {
    if (this.text[0] !== "{") throw new Error("a header that does not begin with '{'");
    this.at = 1;
    if (this.next() === "}") this.at++;
    else {
      for (let separator = ","; separator === ","; this.at++) {
        this.next();
        const place = this.at;
        const name = this.string();
        this.expect(":");
        yield [name, place, (maxLength) => this.value(name, maxLength)];
        separator = this.next();
        if (separator !== "," && separator !== "}") throw this.unexpected();
      }
    }
    if (this.next() !== "") throw this.unexpected();
  }

  /** The next character that is no white space, not consumed; empty at the end. */
  private next(): string {
    while (this.at < this.text.length && " \t\n\r".includes(this.text[this.at]!)) this.at++;
    return this.text[this.at] ?? "";
  }

  private expect(character: string): void {
    if (this.next() !== character) throw this.unexpected();
    this.at++;
  }

  private string(): string {
    if (this.next() !== '"') throw this.unexpected();
    const start = this.at;
    this.skipString();
    return JSON.parse(this.text.slice(start, this.at)) as string;
  }

  private skipString(): void {
    for (this.at++; this.text[this.at] !== '"'; this.at++) {
      if (this.at >= this.text.length) throw this.unexpected();
      if (this.text[this.at] === "\\") this.at++;
    }
    this.at++;
  }

  private value(name: string, maxLength: number): unknown {
    this.next();
    const start = this.at;
    const keys = new Set<string>();
    let depth = 0;
    do {
      const character = this.next();
      if (character === "") throw this.unexpected();
      if (this.at - start > maxLength) throw new Error(`an endless header entry '${name}'`);
      if (character === '"') {
        const from = this.at;
        this.skipString();
        const literal = this.text.slice(from, this.at);
        if (depth === 1 && this.next() === ":") {
          const key = JSON.parse(literal) as string;
          if (keys.has(key)) throw new Error(`a header entry '${name}' with '${key}' twice`);
          keys.add(key);
        }
      } else {
        if (character === "{" || character === "[") depth++;
        if (character === "}" || character === "]") depth--;
        // an entry's object and the lists in it
        if (depth > 2) throw new Error(`a header entry '${name}' that is nested too deep`);
        if (depth < 0) throw this.unexpected();
        this.at++;
      }
    } while (depth > 0);
    const text = this.text.slice(start, this.at);
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      const found = `a header entry '${name}' that is no JSON`;
      throw new Error(text.startsWith("{") ? found : `a header entry '${name}' without type and shape`, {
        cause,
      });
    }
  }

  private unexpected(): Error {
    const found = this.text[this.at];
    return new Error(
      `a header that is no JSON: ${found === undefined ? "it ends too early" : `'${found}' at character ${this.at}`}`,
    );
  }
}
