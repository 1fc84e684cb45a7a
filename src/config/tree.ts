import type { Origin } from "./origin.ts";

export type { Origin };

export type Scalar = string | number | boolean | null;

/**
 * A config before it is checked: plain data in which every key and every value knows its origin. Nodes are
 * never changed; merging makes new ones and shares the rest.
 */
export type ConfigNode = MapNode | ListNode | ScalarNode;

export interface ScalarNode {
  readonly kind: "scalar";
  readonly origin: Origin;
  readonly value: Scalar;
}

export interface ListNode {
  readonly kind: "list";
  readonly origin: Origin;
  readonly items: readonly ConfigNode[];
}

export interface MapNode {
  readonly kind: "map";
  readonly origin: Origin;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Where the key stands. */
  readonly origin: Origin;
  readonly node: ConfigNode;
}

/** Keys that could reach an object's prototype; no config may contain them. */
export const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** The key by which a map replaces what it is laid over. */
export const deleteKey = "_delete_";

export type Path = readonly (string | number)[];

/** `data.train.transforms.0.range`; the root is the empty string. */
export function pathText(path: Path): string {
  return path.map((key) => (String(key).length <= 60 ? key : `${String(key).slice(0, 59)}…`)).join(".");
}

export function emptyMap(origin: Origin): MapNode {
  return { kind: "map", origin, entries: new Map() };
}

export function child(node: ConfigNode | undefined, key: string | number): ConfigNode | undefined {
  if (node?.kind === "map") return node.entries.get(String(key))?.node;
  if (node?.kind === "list") return node.items[Number(key)];
  return undefined;
}

/** The node at a path, if it was written. */
export function nodeAt(root: ConfigNode, path: Path): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const key of path) node = child(node, key);
  return node;
}

/** Where the value at a path was written, or else the nearest value around it. */
export function originAt(root: ConfigNode, path: Path): Origin {
  let node = root;
  for (const key of path) {
    const next = child(node, key);
    if (next === undefined) break;
    node = next;
  }
  return node.origin;
}

/** Where the last key of a path was written; as {@link originAt} where it is an index or absent. */
export function keyOriginAt(root: ConfigNode, path: Path): Origin {
  const parent = nodeAt(root, path.slice(0, -1));
  const entry = parent?.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.origin ?? originAt(root, path);
}

/** Plain data, for validation. Maps become objects; no key of theirs is forbidden (yaml.ts sees to it). */
export function toData(node: ConfigNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toData);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toData(entry.node)]));
}

/** A node of plain data, all of it from one origin. */
export function fromData(data: unknown, origin: Origin): ConfigNode {
  if (Array.isArray(data)) return { kind: "list", origin, items: data.map((item) => fromData(item, origin)) };
  if (typeof data === "object" && data !== null) {
    const entries = Object.entries(data).map(
      ([key, value]) => [key, { origin, node: fromData(value, origin) }] as const,
    );
    return { kind: "map", origin, entries: new Map(entries) };
  }
  return { kind: "scalar", origin, value: data as Scalar };
}

/** The tree with every scalar replaced by what `change` makes of it. */
export function mapScalars(
  node: ConfigNode,
  change: (scalar: ScalarNode, path: Path) => ScalarNode,
  path: Path = [],
): ConfigNode {
  if (node.kind === "scalar") return change(node, path);
  if (node.kind === "list") {
    return { ...node, items: node.items.map((item, index) => mapScalars(item, change, [...path, index])) };
  }
  const entries = [...node.entries].map(
    ([key, entry]) => [key, { ...entry, node: mapScalars(entry.node, change, [...path, key]) }] as const,
  );
  return { ...node, entries: new Map(entries) };
}

/** A map with one entry set anew, in its old place or at the end. */
export function withEntry(map: MapNode, key: string, entry: Entry): MapNode {
  return { ...map, entries: new Map(map.entries).set(key, entry) };
}

/** A map without a key. */
export function without(map: MapNode, key: string): MapNode {
  if (!map.entries.has(key)) return map;
  const entries = new Map(map.entries);
  entries.delete(key);
  return { ...map, entries };
}
