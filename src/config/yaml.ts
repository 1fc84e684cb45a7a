import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import {
  constructFromEvents,
  CORE_SCHEMA,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  YAMLException,
} from "js-yaml";
import { ConfigError, type Complaint } from "./complaint.ts";
import {
  forbiddenKeys,
  type ConfigNode,
  type Entry,
  type MapNode,
  type Origin,
  type Path,
  type Scalar,
} from "./tree.ts";

type YamlEvent = ReturnType<typeof parseEvents>[number];

/** Bounds on what a config file may make us do: aliases can blow a few lines up to any size. */
const limits = { bytes: 1_000_000, aliases: 100, nodes: 100_000, depth: 64 } as const;

/**
 * Reads a file that holds one YAML map.
 *
 * @throws ConfigError `SEGFUSE_CONFIG_FILE` where it cannot be read or is above 1 MB, `SEGFUSE_CONFIG_SYNTAX`
 */
export async function readYamlFile(path: string): Promise<MapNode> {
  const origin = { source: path, line: null, column: null, directory: dirname(path) };
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > limits.bytes) {
      throw new ConfigError([
        {
          code: "SEGFUSE_CONFIG_FILE",
          message: "a config file is too large",
          origin,
          path: [],
          expected: `at most ${limits.bytes} bytes`,
          found: `${size} bytes`,
        },
      ]);
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ConfigError([
      {
        code: "SEGFUSE_CONFIG_FILE",
        message: "a config file cannot be read",
        origin,
        path: [],
        found: reason === "ENOENT" ? "no such file" : reason,
      },
    ]);
  }
  return parseYaml(text, path);
}

/**
 * Parses YAML 1.2 (core schema: no custom tags, no merge keys) into a tree with positions.
 *
 * @param path the file's absolute path; relative paths inside start from its folder
 * @throws ConfigError `SEGFUSE_CONFIG_SYNTAX`
 */
export function parseYaml(text: string, path: string): MapNode {
  const reader = new TreeReader(text, path);
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
  private events: YamlEvent[] = [];
  private next = 0;

  constructor(
    private readonly text: string,
    private readonly path: string,
  ) {
    this.lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  }

  read(): MapNode {
    let documents: unknown[];
    try {
      this.events = parseEvents(this.text, { filename: this.path, maxDepth: limits.depth });
      const options = { source: this.text, schema: CORE_SCHEMA, maxAliases: limits.aliases };
      documents = constructFromEvents(this.events, options);
    } catch (error) {
      const position = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
      throw this.fault(position, yamlReason(error));
    }
    const start = this.origin(0);
    if (documents.length === 0) return { kind: "map", origin: start, entries: new Map() };
    if (documents.length > 1) throw this.fault(0, "a config file holds more than one document");
    this.next = 1; // past the document's own event
    const { node } = this.node(documents[0], 0, []);
    if (node.kind === "map") return node;
    if (node.kind === "scalar" && node.value === null)
      return { kind: "map", origin: start, entries: new Map() };
    throw this.fault(0, "a config file holds no map", {
      expected: "a map: KEY: VALUE",
      found: `a ${node.kind}`,
    });
  }

  /** Reads the next event's node; `value` is what js-yaml made of the same events, in the same order. */
  private node(value: unknown, fallback: number, path: Path): { node: ConfigNode; size: number } {
    const event = this.events[this.next++]!;
    if (event.type === EVENT_ID.ALIAS) {
      const anchored = this.anchors.get(this.text.slice(event.anchorStart, event.anchorEnd))!;
      return { ...anchored, node: { ...anchored.node, origin: this.origin(event.anchorStart - 1) } };
    }
    const made =
      event.type === EVENT_ID.SEQUENCE
        ? this.list(value as unknown[], event.start, path)
        : event.type === EVENT_ID.MAPPING
          ? this.map(value as Record<string, unknown>, event.start, path)
          : { node: this.scalar(event, value as Scalar, fallback), size: 1 };
    if (made.size > limits.nodes)
      throw this.fault(fallback, `a config holds more than ${limits.nodes} values`);
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

  private map(
    value: Readonly<Record<string, unknown>>,
    start: number,
    path: Path,
  ): { node: ConfigNode; size: number } {
    const entries = new Map<string, Entry>();
    let size = 1;
    while (this.events[this.next]!.type !== EVENT_ID.POP) {
      const event = this.events[this.next++]!;
      if (event.type !== EVENT_ID.SCALAR) throw this.fault(start, "a key is no plain text");
      const key = getScalarValue(this.text, event);
      const position = Math.max(start, this.scalarStart(event));
      this.checkKey(key, position, [...path, key]);
      const item = this.node(value[key], position, [...path, key]);
      entries.set(key, { origin: this.origin(position), node: item.node });
      size += item.size;
    }
    this.next++;
    return { node: { kind: "map", origin: this.origin(start), entries }, size };
  }

  private checkKey(key: string, position: number, path: Path): void {
    if (forbiddenKeys.has(key))
      throw this.fault(position, `'${key}' is no key that a config can have`, { path });
    if (key === "<<") {
      throw this.fault(position, "merge keys are not part of YAML 1.2", { path, advice: "_base_: FILE" });
    }
  }

  private origin(position: number): Origin {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.lineStarts[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    const column = position - this.lineStarts[low]! + 1;
    return { source: this.path, line: low + 1, column, directory: dirname(this.path) };
  }

  private fault(position: number, message: string, more: Partial<Complaint> = {}): ConfigError {
    const origin = this.origin(position);
    return new ConfigError([{ code: "SEGFUSE_CONFIG_SYNTAX", message, origin, path: [], ...more }]);
  }
}
