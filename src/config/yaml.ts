import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  constructFromEvents,
  CORE_SCHEMA,
  defineMappingTag,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  YAMLException,
} from "js-yaml";
import type { ErrorCode } from "../errors.ts";
import { assertNone, ConfigError, shorten, showValue, type Complaint } from "./complaint.ts";
import { nearestFile } from "./nearest.ts";
import { displayPath } from "./origin.ts";
import {
  deleteKey,
  forbiddenKeys,
  fromData,
  type ConfigNode,
  type Entry,
  type MapNode,
  type Origin,
  type Path,
  type Scalar,
  toData,
} from "./tree.ts";
import { explainSyntax } from "./yaml_syntax.ts";

type YamlEvent = ReturnType<typeof parseEvents>[number];

/**
 * Bounds on what a config file may make us do: aliases can blow a few lines up to any size. A whole config has some
 * hundred values, ADE20K's list of classes 150.
 */
export const limits = { bytes: 1_000_000, aliases: 100, nodes: 20_000, depth: 64 } as const;

/** A map as the list of its values, in their order: keys are read from the events, so that all wrong ones are told. */
const mapTag = defineMappingTag<unknown[]>("tag:yaml.org,2002:map", {
  create: () => [],
  addPair(values, _key, value) {
    values.push(value);
    return "";
  },
  has: () => false,
  keys: () => [],
  get: () => null,
  identify: () => false,
  represent: () => new Map(),
});
const schema = CORE_SCHEMA.withTags(mapTag);

/** A file that another place names, for the complaint where it cannot be read. */
export interface NamedBy {
  readonly origin: Origin;
  readonly path: Path;
  /** What may be wrong with the name, where it cannot be read. */
  readonly advice?: string;
}

/**
 * Reads a file that holds one YAML map.
 *
 * @param path absolute
 * @param by what names the file, where that is not the command line
 * @throws ConfigError `SEGFUSE_CONFIG_FILE` where it cannot be read, `SEGFUSE_CONFIG_LIMIT` where it is above 1 MB,
 *   `SEGFUSE_CONFIG_ENCODING` where it is no UTF-8, and what {@link parseYaml} throws
 */
export async function readYamlFile(path: string, by?: NamedBy): Promise<MapNode> {
  const from = by?.origin;
  let bytes: Buffer;
  try {
    bytes = await readBounded(path);
  } catch (error) {
    throw error instanceof ConfigError ? error : new ConfigError([await unreadable(path, error, by)]);
  }
  return parseYaml(decoded(bytes, path, from), path, from);

  async function readBounded(file: string): Promise<Buffer> {
    const info = await stat(file);
    // A pipe or a device may never end.
    if (!info.isFile())
      throw Object.assign(new Error(), { code: info.isDirectory() ? "EISDIR" : "no plain file" });
    if (info.size > limits.bytes) {
      throw fileFault("SEGFUSE_CONFIG_LIMIT", "a config file is too large", path, from, {
        expected: `at most ${limits.bytes} bytes`,
        found: `${info.size} bytes`,
      });
    }
    return readFile(file);
  }
}

/** Text of UTF-8; a byte-order mark is left out. */
function decoded(bytes: Buffer, path: string, from: Origin | undefined): string {
  const isWide =
    bytes.length > 1 &&
    (bytes.subarray(0, 2).includes(0) || [0xfffe, 0xfeff].includes(bytes.readUInt16BE(0)));
  try {
    if (!isWide) return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // told below
  }
  throw fileFault("SEGFUSE_CONFIG_ENCODING", "a config file is not in UTF-8", path, from, {
    expected: "text in UTF-8",
    found: isWide ? "text in UTF-16" : "bytes that are no UTF-8",
  });
}

function fileFault(
  code: ErrorCode,
  message: string,
  path: string,
  from: Origin | undefined,
  more: Partial<Complaint>,
): ConfigError {
  const origin = { source: path, line: null, column: null, directory: dirname(path) };
  return new ConfigError([
    { code, message, origin: from === undefined ? origin : { ...origin, from }, path: [], ...more },
  ]);
}

const reasons: Record<string, string> = {
  ENOENT: "no such file",
  EISDIR: "a folder",
  EACCES: "no permission to read it",
  ENOTDIR: "no such file",
};

/** A file that cannot be read is the fault of the place that names it. */
async function unreadable(path: string, error: unknown, by: NamedBy | undefined): Promise<Complaint> {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const reason = reasons[code] ?? code;
  const siblings = await readdir(dirname(path)).catch((): string[] => []);
  const { nearest } = nearestFile(basename(path), siblings);
  return {
    code: "SEGFUSE_CONFIG_FILE",
    message: "a config file cannot be read",
    origin: by?.origin ?? { source: path, line: null, column: null, directory: dirname(path) },
    path: by?.path ?? [],
    found: by === undefined ? reason : `${displayPath(path)}: ${reason}`,
    ...(nearest === undefined ? {} : { nearest: displayPath(join(dirname(path), nearest)) }),
    ...(by?.advice === undefined ? {} : { advice: by.advice }),
  };
}

/**
 * Parses YAML 1.2 (core schema: no custom tags, no merge keys) into a tree with positions.
 *
 * @param path the file's absolute path; relative paths inside start from its folder
 * @param from what brought the file in, for complaints
 * @throws ConfigError `SEGFUSE_CONFIG_SYNTAX`, `SEGFUSE_CONFIG_DOCUMENT`, `SEGFUSE_CONFIG_DUPLICATE_KEY`,
 *   `SEGFUSE_CONFIG_FORBIDDEN_KEY`, `SEGFUSE_CONFIG_LIMIT`
 */
export function parseYaml(text: string, path: string, from?: Origin): MapNode {
  const reader = new TreeReader(text, path, from);
  return reader.read();
}

/** One scalar, as `--set` and environment variables give it; any YAML value is taken. */
export function parseYamlValue(text: string): unknown {
  const options = { source: text, schema: CORE_SCHEMA, maxAliases: 0 };
  const documents = constructFromEvents(parseEvents(text, { maxDepth: limits.depth }), options);
  if (documents.length > 1) throw new YAMLException("more than one document");
  return documents[0] ?? null;
}

/** The reason alone, without js-yaml's snippet. */
export function yamlReason(error: unknown): string {
  return error instanceof YAMLException ? error.reason : String(error);
}

class TreeReader {
  private readonly lineStarts: number[];
  private readonly anchors = new Map<string, { node: ConfigNode; size: number }>();
  private readonly faults: Complaint[] = [];
  private readonly directory: string;
  private events: YamlEvent[] = [];
  private next = 0;

  constructor(
    private readonly text: string,
    private readonly path: string,
    private readonly from: Origin | undefined,
  ) {
    this.directory = dirname(path);
    this.lineStarts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map(({ index, 0: end }) => index + end.length)];
  }

  read(): MapNode {
    let documents: unknown[];
    try {
      this.events = parseEvents(this.text, { filename: this.path, maxDepth: limits.depth });
      const options = { source: this.text, schema, maxAliases: limits.aliases };
      documents = constructFromEvents(this.events, options);
    } catch (error) {
      const position = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
      throw this.parserFault(position, yamlReason(error));
    }
    const start = this.origin(0);
    if (documents.length === 0) return { kind: "map", origin: start, entries: new Map() };
    if (documents.length > 1)
      throw this.fault(this.secondDocument(), "a config file holds more than one document", {
        code: "SEGFUSE_CONFIG_DOCUMENT",
        expected: "one document: no line of --- between two",
        found: `${documents.length} documents`,
      });
    this.next = 1; // past the document's own event
    const { node } = this.node(documents[0], 0, []);
    assertNone(this.faults);
    if (node.kind === "map") return node;
    if (node.kind === "scalar" && node.value === null)
      return { kind: "map", origin: start, entries: new Map() };
    throw this.fault(0, "a config file holds no map", {
      code: "SEGFUSE_CONFIG_DOCUMENT",
      expected: "a map: KEY: VALUE",
      found: node.kind === "list" ? "a list" : showValue(node.value),
    });
  }

  /** Reads the next event's node; `value` is what js-yaml made of the same events, in the same order. */
  private node(value: unknown, fallback: number, path: Path): { node: ConfigNode; size: number } {
    const event = this.events[this.next++]!;
    if (event.type === EVENT_ID.ALIAS) {
      const anchored = this.anchors.get(this.text.slice(event.anchorStart, event.anchorEnd));
      if (anchored === undefined) {
        // Its anchor stood below a key that cannot be, of which there is a complaint, or is not complete yet.
        if (this.faults.length === 0)
          throw this.fault(event.anchorStart - 1, "no YAML here: an alias stands inside what it names");
        return { node: fromData(null, this.origin(event.anchorStart)), size: 1 };
      }
      return { ...anchored, node: { ...anchored.node, origin: this.origin(event.anchorStart - 1) } };
    }
    const made =
      event.type === EVENT_ID.SEQUENCE
        ? this.list(value as unknown[], event.start, path)
        : event.type === EVENT_ID.MAPPING
          ? this.map(value as unknown[], event.start, path)
          : { node: this.scalar(event, value as Scalar, fallback), size: 1 };
    if (made.size > limits.nodes)
      throw this.fault(fallback, "a config holds too many values", {
        code: "SEGFUSE_CONFIG_LIMIT",
        expected: `at most ${limits.nodes}, aliases counted as what they stand for`,
      });
    if ("anchorStart" in event && event.anchorStart >= 0) {
      this.anchors.set(this.text.slice(event.anchorStart, event.anchorEnd), made);
    }
    return made;
  }

  private scalar(event: YamlEvent, value: Scalar, fallback: number): ConfigNode {
    const start = event.type === EVENT_ID.SCALAR ? this.scalarStart(event) : -1;
    return { kind: "scalar", origin: this.origin(start < 0 ? fallback : start), value };
  }

  private scalarStart(event: YamlEvent & { type: typeof EVENT_ID.SCALAR }): number {
    const quoted = ["'", '"'].includes(this.text[event.valueStart - 1] ?? "");
    return quoted ? event.valueStart - 1 : event.valueStart;
  }

  private list(value: readonly unknown[], start: number, path: Path): { node: ConfigNode; size: number } {
    const items: ConfigNode[] = [];
    let size = 1;
    while (this.events[this.next]!.type !== EVENT_ID.POP) {
      const item = this.node(value[items.length], start, [...path, items.length]);
      items.push(item.node);
      size += item.size;
    }
    this.next++;
    return { node: { kind: "list", origin: this.origin(start), items }, size };
  }

  private map(values: readonly unknown[], start: number, path: Path): { node: ConfigNode; size: number } {
    const entries = new Map<string, Entry>();
    let size = 1;
    for (let i = 0; this.events[this.next]!.type !== EVENT_ID.POP; i++) {
      const event = this.events[this.next]!;
      if (event.type !== EVENT_ID.SCALAR) {
        this.wrongKey(Math.max(start, this.startOf(event)), "a key is a list or a map", path, {
          expected: "a plain text",
        });
        this.skip();
        this.skip();
        continue;
      }
      this.next++;
      const key = getScalarValue(this.text, event);
      const position = Math.max(start, this.scalarStart(event));
      if (!this.isKey(key, position, [...path, key], entries.get(key))) {
        this.skip();
        continue;
      }
      const item = this.node(values[i], position, [...path, key]);
      if (key === deleteKey) this.checkMark(item.node, [...path, key]);
      entries.set(key, { origin: this.origin(position), node: item.node });
      size += item.size;
    }
    this.next++;
    return { node: { kind: "map", origin: this.origin(start), entries }, size };
  }

  /** False, with a complaint, for a key that no config can have, and for one that is there already. */
  private isKey(key: string, position: number, path: Path, before: Entry | undefined): boolean {
    if (forbiddenKeys.has(key)) this.wrongKey(position, `'${key}' is no key that a config can have`, path);
    else if (key === "<<")
      this.wrongKey(position, "merge keys are not part of YAML 1.2", path, { advice: "_base_: FILE" });
    else if (before !== undefined)
      this.wrongKey(position, `the key '${shorten(key)}' is written twice`, path, {
        code: "SEGFUSE_CONFIG_DUPLICATE_KEY",
        expected: "every key once in its map",
        found: `first in line ${before.origin.line}`,
      });
    else return true;
    return false;
  }

  private wrongKey(position: number, message: string, path: Path, more: Partial<Complaint> = {}): void {
    const code = "SEGFUSE_CONFIG_FORBIDDEN_KEY";
    this.faults.push(this.complaint(position, message, { code, path, ...more }));
  }

  /** `_delete_: yes` is a text in YAML 1.2 and would delete nothing. */
  private checkMark(node: ConfigNode, path: Path): void {
    if (node.kind === "scalar" && typeof node.value === "boolean") return;
    this.faults.push({
      code: "SEGFUSE_CONFIG_TYPE",
      message: `'${deleteKey}' has a value of the wrong type`,
      origin: node.origin,
      path,
      expected: "true or false",
      found: showValue(toData(node)),
    });
  }

  private startOf(event: YamlEvent): number {
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) return event.start;
    return event.type === EVENT_ID.ALIAS ? event.anchorStart - 1 : -1;
  }

  /** Passes over the next node. */
  private skip(): void {
    let depth = 0;
    do {
      const { type } = this.events[this.next++]!;
      if (type === EVENT_ID.SEQUENCE || type === EVENT_ID.MAPPING) depth++;
      else if (type === EVENT_ID.POP) depth--;
    } while (depth > 0);
  }

  private origin(position: number): Origin {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.lineStarts[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    const start = this.lineStarts[low]!;
    const end = this.lineStarts[low + 1] ?? this.text.length + 1;
    return {
      source: this.path,
      line: low + 1,
      column: position - start + 1,
      directory: this.directory,
      text: this.text.slice(start, end - 1),
      ...(this.from === undefined ? {} : { from: this.from }),
    };
  }

  /** Where a second document begins: its line of ---, which events do not hold. */
  private secondDocument(): number {
    const second = this.events.findIndex((event, i) => i > 0 && event.type === EVENT_ID.DOCUMENT);
    const content = this.events[second + 1];
    const end = content === undefined ? -1 : this.startOf(content);
    const before = this.text.slice(0, end < 0 ? undefined : end);
    return Math.max(0, before.lastIndexOf("\n---") + 1);
  }

  private fault(position: number, message: string, more: Partial<Complaint> = {}): ConfigError {
    return new ConfigError([this.complaint(position, message, more)]);
  }

  private complaint(position: number, message: string, more: Partial<Complaint>): Complaint {
    return { code: "SEGFUSE_CONFIG_SYNTAX", message, origin: this.origin(position), path: [], ...more };
  }

  /** What js-yaml says, under the code that it belongs to. */
  private parserFault(position: number, reason: string): ConfigError {
    if (reason.includes("maxAliases") || reason.includes("maxDepth")) {
      const deep = reason.includes("maxDepth");
      return this.fault(position, deep ? "a config is nested too deeply" : "a config has too many aliases", {
        code: "SEGFUSE_CONFIG_LIMIT",
        expected: deep ? `at most ${limits.depth} levels` : `at most ${limits.aliases}`,
      });
    }
    const { at = position, message = reason, advice } = explainSyntax(reason, this.text, position);
    return this.fault(at, `no YAML: ${message}`, advice === undefined ? {} : { advice });
  }
}
