import {
  constructFromEvents,
  CORE_SCHEMA,
  EVENT_ID,
  getScalarValue,
  parseEvents,
  YAMLException,
} from "js-yaml";
import { assertNone, ConfigError, shorten, showValue, type Complaint } from "./complaint.ts";
import {
  deleteKey,
  forbiddenKeys,
  fromData,
  type ConfigNode,
  type Entry,
  type MapNode,
  type Origin,
  type Path,
  toData,
} from "./tree.ts";
import { parseDocuments, startOf, valueOf, type YamlDocument, type YamlNode } from "./yaml_events.ts";
import { YamlSource } from "./yaml_source.ts";
import { explainSyntax } from "./yaml_syntax.ts";

/**
 * Bounds on what a config file may make us do: aliases can blow a few lines up to any size. A whole config has some
 * hundred values, ADE20K's list of classes 150.
 */
export const limits = { bytes: 1_000_000, aliases: 100, nodes: 20_000, depth: 64 } as const;

/**
 * Parses YAML 1.2 (core schema: no custom tags, no merge keys) into a tree with positions.
 *
 * @param path the file's absolute path; relative paths inside start from its folder
 * @param from what brought the file in, for complaints
 * @throws ConfigError `SEGFUSE_CONFIG_SYNTAX`, `SEGFUSE_CONFIG_DOCUMENT`, `SEGFUSE_CONFIG_DUPLICATE_KEY`,
 *   `SEGFUSE_CONFIG_FORBIDDEN_KEY`, `SEGFUSE_CONFIG_LIMIT`
 */
export function parseYaml(text: string, path: string, from?: Origin): MapNode {
  const source = new YamlSource(text, path, from);
  const documents = documentsOf(source);
  if (documents.length > 1) throw moreThanOne(source, documents);
  const node = documents[0] === undefined ? null : new TreeReader(source, documents[0]).read();
  const empty: MapNode = { kind: "map", origin: source.origin(0), entries: new Map() };
  if (node === null) return empty;
  if (node.kind === "map") return node;
  if (node.kind === "scalar" && node.value === null) return empty;
  throw source.fault(0, "a config file holds no map", {
    code: "SEGFUSE_CONFIG_DOCUMENT",
    expected: "a map: KEY: VALUE",
    found: node.kind === "list" ? "a list" : showValue(node.value),
  });
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

function positionOf(error: unknown): number {
  return error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
}

function documentsOf(source: YamlSource): YamlDocument[] {
  try {
    return parseDocuments(source.text, limits.depth);
  } catch (error) {
    const position = positionOf(error);
    if (isTooDeep(source.text, position))
      throw source.fault(position, "a config is nested too deeply", {
        code: "SEGFUSE_CONFIG_LIMIT",
        expected: `at most ${limits.depth} levels`,
      });
    const { at = position, message = yamlReason(error), advice } = explainSyntax(source.text, position);
    throw source.fault(at, `no YAML: ${message}`, advice === undefined ? {} : { advice });
  }
}

/** Whether the bound on the depth is what stopped the parser: with another level it comes further. */
function isTooDeep(text: string, position: number): boolean {
  try {
    parseDocuments(text, limits.depth + 1);
    return true;
  } catch (error) {
    return positionOf(error) !== position;
  }
}

function moreThanOne(source: YamlSource, documents: readonly YamlDocument[]): ConfigError {
  // The second one's line of ---, of which there is no event, is the last before its content.
  const content = documents[1]!.content;
  const start = content === undefined ? -1 : startOf(content.event);
  const before = source.text.slice(0, start < 0 ? undefined : start);
  return source.fault(
    Math.max(0, before.lastIndexOf("\n---") + 1),
    "a config file holds more than one document",
    {
      code: "SEGFUSE_CONFIG_DOCUMENT",
      expected: "one document: no line of --- between two",
      found: `${documents.length} documents`,
    },
  );
}

/** A node and how many values it has, with those that aliases stand for. */
interface Read {
  readonly node: ConfigNode;
  readonly size: number;
}

/** Makes a config's tree of a document's, with all complaints of its keys. */
class TreeReader {
  private readonly anchors = new Map<string, Read>();
  private readonly faults: Complaint[] = [];
  private aliases = 0;

  constructor(
    private readonly source: YamlSource,
    private readonly document: YamlDocument,
  ) {}

  /** Null where the document is empty. */
  read(): ConfigNode | null {
    const { content } = this.document;
    if (content === undefined) return null;
    const { node } = this.node(content, 0, []);
    assertNone(this.faults);
    return node;
  }

  /** @param fallback where a value that is left out would stand */
  private node({ event, children }: YamlNode, fallback: number, path: Path): Read {
    if (event.type === EVENT_ID.ALIAS) return this.alias(event.anchorStart, event.anchorEnd);
    const start = startOf(event);
    const value = this.value(event);
    const origin = this.source.origin(start < 0 ? fallback : start);
    const read =
      event.type === EVENT_ID.SEQUENCE
        ? this.list(children, start, path)
        : event.type === EVENT_ID.MAPPING
          ? this.map(children, start, path)
          : { node: fromData(value, origin), size: 1 };
    if (read.size > limits.nodes)
      throw this.source.fault(fallback, "a config holds too many values", {
        code: "SEGFUSE_CONFIG_LIMIT",
        expected: `at most ${limits.nodes}, aliases counted as what they stand for`,
      });
    return this.named(event, read);
  }

  private value(event: Exclude<YamlNode["event"], { type: typeof EVENT_ID.ALIAS }>): unknown {
    try {
      return valueOf(event, this.document.event, this.source.text);
    } catch (error) {
      throw this.source.fault(positionOf(error), `no YAML: ${yamlReason(error)}`);
    }
  }

  /** Keeps what an anchor names. */
  private named({ anchorStart, anchorEnd }: { anchorStart: number; anchorEnd: number }, read: Read): Read {
    if (anchorStart >= 0) this.anchors.set(this.source.text.slice(anchorStart, anchorEnd), read);
    return read;
  }

  private alias(start: number, end: number): Read {
    if (++this.aliases > limits.aliases)
      throw this.source.fault(start, "a config has too many aliases", {
        code: "SEGFUSE_CONFIG_LIMIT",
        expected: `at most ${limits.aliases}`,
      });
    const name = this.source.text.slice(start, end);
    const anchored = this.anchors.get(name);
    if (anchored !== undefined)
      return { ...anchored, node: { ...anchored.node, origin: this.source.origin(start - 1) } };
    // Its anchor may stand below a key that cannot be, of which there is a complaint.
    if (this.faults.length > 0) return { node: fromData(null, this.source.origin(start)), size: 1 };
    throw this.source.fault(start - 1, `no YAML: no anchor &${name} ends before this alias`);
  }

  private list(children: readonly YamlNode[], start: number, path: Path): Read {
    const items = children.map((child, i) => this.node(child, start, [...path, i]));
    const node: ConfigNode = {
      kind: "list",
      origin: this.source.origin(start),
      items: items.map((item) => item.node),
    };
    return { node, size: sizeOf(items) };
  }

  private map(children: readonly YamlNode[], start: number, path: Path): Read {
    const entries = new Map<string, Entry>();
    const values: Read[] = [];
    for (let i = 0; i < children.length; i += 2) {
      const { event } = children[i]!;
      const position = Math.max(start, startOf(event));
      if (event.type !== EVENT_ID.SCALAR) {
        this.wrongKey(position, "a key is a list or a map", path, { expected: "a plain text" });
        continue;
      }
      const key = getScalarValue(this.source.text, event);
      const below = [...path, key];
      const origin = this.source.origin(position);
      this.value(event);
      this.named(event, { node: fromData(key, origin), size: 1 });
      if (!this.isKey(key, position, below, entries.get(key))) continue;
      const value = this.node(children[i + 1]!, position, below);
      if (key === deleteKey) this.checkMark(value.node, below);
      entries.set(key, { origin, node: value.node });
      values.push(value);
    }
    return { node: { kind: "map", origin: this.source.origin(start), entries }, size: sizeOf(values) };
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
    this.faults.push(this.source.complaint(position, message, { code, path, ...more }));
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
}

/** Of a list or map with these values. */
function sizeOf(values: readonly Read[]): number {
  return values.reduce((sum, { size }) => sum + size, 1);
}
