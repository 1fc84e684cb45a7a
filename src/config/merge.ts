import { showValue, type Complaint } from "./complaint.ts";
import { originText } from "./origin.ts";
import { deleteKey, toData, without, type ConfigNode, type Entry, type MapNode, type Path } from "./tree.ts";

/**
 * Lays `over` on `base`: maps merge deeply, lists and scalars replace. A map replaces the whole map below it
 * where it says `_delete_: true` or another `type` (options of one component mean nothing to another).
 */
export function merge(base: ConfigNode | undefined, over: ConfigNode): ConfigNode {
  if (over.kind !== "map") return over;
  const marked = over.entries.get(deleteKey)?.node;
  const top = without(over, deleteKey);
  const replaces = marked?.kind === "scalar" && marked.value === true;
  if (base?.kind !== "map" || replaces || changesType(base, top)) return clean(top);
  const entries = new Map(base.entries);
  for (const [key, entry] of top.entries) {
    entries.set(key, { origin: entry.origin, node: merge(base.entries.get(key)?.node, entry.node) });
  }
  return { ...top, entries };
}

/** {@link merge} of two maps, which is a map. */
export function mergeMaps(base: MapNode, over: MapNode): MapNode {
  return merge(base, over) as MapNode;
}

/** A tree with nothing below it: its `_delete_` marks have done their work. */
function clean(node: MapNode): MapNode {
  const entries = [...node.entries].map(
    ([key, entry]) => [key, { ...entry, node: merge(undefined, entry.node) }] as const,
  );
  return { ...node, entries: new Map(entries) };
}

function typeOf(map: MapNode): unknown {
  const node = map.entries.get("type")?.node;
  return node?.kind === "scalar" ? node.value : undefined;
}

function changesType(base: MapNode, over: MapNode): boolean {
  const [from, to] = [typeOf(base), typeOf(over)];
  return from !== undefined && to !== undefined && from !== to;
}

/** A file with everything it inherits, and the files that all of it came from. */
export interface Inherited {
  readonly node: MapNode;
  readonly files: ReadonlySet<string>;
}

/**
 * Joins two bases of one file, neither of which goes before the other. Where both set the same leaf to
 * different values, one may win only by having inherited the other's: the leaf comes from a file that both share
 * and one of them changed it. Everything else is a complaint.
 */
export function joinBases(a: Inherited, b: Inherited, complaints: Complaint[]): Inherited {
  const node = joinMaps(a.node, b.node, { a: a.files, b: b.files, complaints }, []);
  return { node, files: new Set([...a.files, ...b.files]) };
}

interface Join {
  a: ReadonlySet<string>;
  b: ReadonlySet<string>;
  complaints: Complaint[];
}

function joinMaps(a: MapNode, b: MapNode, join: Join, path: Path): MapNode {
  if (changesType(a, b)) {
    const winner = winnerOf(a.entries.get("type")!.node, b.entries.get("type")!.node, join, [
      ...path,
      "type",
    ]);
    const [kept, dropped, keptFiles] = winner === "a" ? [a, b, join.a] : [b, a, join.b];
    // The side that loses its whole map must have inherited all of it.
    for (const [key, { node }] of dropped.entries) {
      if (key !== "type" && !keptFiles.has(node.origin.source)) conflict(kept, node, join, [...path, key]);
    }
    return kept;
  }
  const entries = new Map<string, Entry>(a.entries);
  for (const [key, entry] of b.entries) {
    const other = a.entries.get(key);
    if (other === undefined) entries.set(key, entry);
    else entries.set(key, joinEntries(other, entry, join, [...path, key]));
  }
  return { ...b, entries };
}

function joinEntries(a: Entry, b: Entry, join: Join, path: Path): Entry {
  if (a.node.kind === "map" && b.node.kind === "map") {
    return { origin: b.origin, node: joinMaps(a.node, b.node, join, path) };
  }
  if (JSON.stringify(toData(a.node)) === JSON.stringify(toData(b.node))) return b;
  return winnerOf(a.node, b.node, join, path) === "a" ? a : b;
}

function winnerOf(a: ConfigNode, b: ConfigNode, join: Join, path: Path): "a" | "b" {
  const aInherits = join.a.has(b.origin.source);
  const bInherits = join.b.has(a.origin.source);
  if (aInherits && !bInherits) return "a";
  if (bInherits && !aInherits) return "b";
  conflict(a, b, join, path);
  return "b";
}

function conflict(a: ConfigNode, b: ConfigNode, join: Join, path: Path): void {
  const value = (node: ConfigNode) => `${showValue(toData(node))}, at ${originText(node.origin)}`;
  join.complaints.push({
    code: "SEGFUSE_CONFIG_CONFLICT",
    message: "two bases set the same key differently",
    origin: b.origin,
    path,
    expected: `one value, or one base that inherits from the other: ${value(a)}`,
    found: value(b),
    advice: "set the key in the file that names the two",
  });
}
