import { resolve } from "node:path";
import { assertNone, ConfigError, distinct, showValue, type Complaint } from "./complaint.ts";
import { joinBases, mergeMaps, type Inherited } from "./merge.ts";
import { displayPath } from "./origin.ts";
import { emptyMap, toData, without, type ConfigNode, type MapNode, type Origin } from "./tree.ts";
import { readYamlFile, type NamedBy } from "./yaml_file.ts";

/** The key that names the files a map inherits from. */
export const baseKey = "_base_";

/** Files of one reading. Each is read once, however many routes lead to it: a lattice of bases has 2ⁿ of them. */
type FilesRead = Map<string, Promise<Inherited>>;

/**
 * Reads a config file with everything that it inherits by `_base_: FILE` or `_base_: [FILE, …]`.
 *
 * @param path absolute
 * @param by what names the file, where that is not the command line
 * @throws ConfigError `SEGFUSE_CONFIG_FILE`, `SEGFUSE_CONFIG_BASE`, `SEGFUSE_CONFIG_CYCLE` (with the chain),
 *   `SEGFUSE_CONFIG_CONFLICT`, and what `parseYaml` throws
 */
export async function readWithBases(path: string, by?: NamedBy): Promise<Inherited> {
  return readFileChain(path, [], by, new Map());
}

/**
 * What a map inside a file lays over another, one after the other: what it inherits, then itself. `_delete_` marks of
 * its own are still there, for what it is laid over.
 */
export async function layersOf(map: MapNode, file: string): Promise<MapNode[]> {
  const own = without(map, baseKey);
  const bases = await joinedBases(map, own, [file], new Map());
  return bases === null ? [own] : [bases.node, own];
}

function readFileChain(
  path: string,
  chain: readonly string[],
  by: NamedBy | undefined,
  read: FilesRead,
): Promise<Inherited> {
  if (chain.includes(path)) {
    const complaint: Complaint = {
      code: "SEGFUSE_CONFIG_CYCLE",
      message: "files inherit from each other in a circle",
      origin: by?.origin ?? null,
      path: [baseKey],
      found: [...chain.slice(chain.indexOf(path)), path].map(displayPath).join(" → "),
    };
    return Promise.reject(new ConfigError([complaint]));
  }
  let reading = read.get(path);
  if (reading === undefined) {
    reading = readYamlFile(path, by).then((node) => inherit(node, [...chain, path], read));
    read.set(path, reading);
  }
  return reading;
}

async function inherit(node: MapNode, chain: readonly string[], read: FilesRead): Promise<Inherited> {
  const file = chain.at(-1)!;
  const own = without(node, baseKey);
  const bases = await joinedBases(node, own, chain, read);
  if (bases === null) return { node: mergeMaps(emptyMap(own.origin), own), files: new Set([file]) };
  return { node: mergeMaps(bases.node, own), files: new Set([...bases.files, file]) };
}

async function joinedBases(
  node: MapNode,
  own: MapNode,
  chain: readonly string[],
  read: FilesRead,
): Promise<Inherited | null> {
  const entry = node.entries.get(baseKey);
  if (entry === undefined) return null;
  const complaints: Complaint[] = [];
  let joined: Inherited | null = null;
  const unreadable: Complaint[] = [];
  for (const { path, origin, advice } of baseFiles(entry.node)) {
    const by = { origin, path: [baseKey], ...(advice === undefined ? {} : { advice }) };
    try {
      const base = await readFileChain(path, chain, by, read);
      joined = joined === null ? base : joinBases(joined, base, complaints);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      unreadable.push(...error.complaints);
    }
  }
  assertNone(distinct([...unreadable, ...complaintsLeft(complaints, own)]));
  return joined;
}

/** A conflict between bases is settled where the file itself sets the key, or a list or scalar around it. */
function complaintsLeft(complaints: readonly Complaint[], own: MapNode): Complaint[] {
  return complaints.filter(({ path }) => {
    let node: ConfigNode | undefined = own;
    for (const key of path) {
      if (node.kind !== "map") return false;
      node = node.entries.get(String(key))?.node;
      if (node === undefined) return true;
    }
    return false;
  });
}

interface BaseFile {
  readonly path: string;
  readonly origin: Origin;
  readonly advice: string | undefined;
}

function baseFiles(node: ConfigNode): BaseFile[] {
  const names = node.kind === "list" ? node.items : [node];
  if (names.length === 0) throw noBase(node);
  return names.map((name) => {
    if (name.kind !== "scalar" || typeof name.value !== "string" || name.value === "") throw noBase(name);
    const { origin, value } = name;
    return { path: resolve(origin.directory, value), origin, advice: adviceFor(value) };
  });
}

/** What a name that leads to no file was probably meant to do. */
function adviceFor(name: string): string | undefined {
  if (/^[a-z]+:\/\//i.test(name)) return "a copy of the file: nothing is downloaded";
  if (name.startsWith("~")) return "a path in full: ~ is not the home folder here";
  if (/\.ya?ml\s*,/.test(name)) return `a list: [${name}]`;
  if (name.includes("$")) return "a path in full: variables count in values, not in _base_";
  return undefined;
}

function noBase(node: ConfigNode): ConfigError {
  return new ConfigError([
    {
      code: "SEGFUSE_CONFIG_BASE",
      message: "_base_ names no file",
      origin: node.origin,
      path: [baseKey],
      expected: "a path, or a list of paths, relative to this file",
      found: showValue(toData(node)),
    },
  ]);
}
