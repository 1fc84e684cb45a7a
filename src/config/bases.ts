import { resolve } from "node:path";
import { assertNone, ConfigError, displayPath, showValue, type Complaint } from "./complaint.ts";
import { joinBases, mergeMaps, type Inherited } from "./merge.ts";
import { emptyMap, toData, without, type ConfigNode, type MapNode, type Origin } from "./tree.ts";
import { readYamlFile } from "./yaml.ts";

/** The key that names the files a map inherits from. */
export const baseKey = "_base_";

/**
 * Reads a config file with everything that it inherits by `_base_: FILE` or `_base_: [FILE, …]`.
 *
 * @param path absolute
 * @throws ConfigError `SEGFUSE_CONFIG_FILE`, `SEGFUSE_CONFIG_SYNTAX`, `SEGFUSE_CONFIG_BASE` (with the chain of a
 *   cycle), `SEGFUSE_CONFIG_CONFLICT`
 */
export async function readWithBases(path: string): Promise<Inherited> {
  return readFileChain(path, [], null);
}

/**
 * What a map inside a file lays over another, one after the other: what it inherits, then itself. `_delete_` marks of
 * its own are still there, for what it is laid over.
 */
export async function layersOf(map: MapNode, file: string): Promise<MapNode[]> {
  const own = without(map, baseKey);
  const bases = await joinedBases(map, own, [file]);
  return bases === null ? [own] : [bases.node, own];
}

async function readFileChain(
  path: string,
  chain: readonly string[],
  from: Origin | null,
): Promise<Inherited> {
  if (chain.includes(path)) {
    throw new ConfigError([
      {
        code: "SEGFUSE_CONFIG_BASE",
        message: "files inherit from each other in a circle",
        origin: from,
        path: [baseKey],
        found: [...chain.slice(chain.indexOf(path)), path].map(displayPath).join(" → "),
      },
    ]);
  }
  let node: MapNode;
  try {
    node = await readYamlFile(path);
  } catch (error) {
    if (from === null || !(error instanceof ConfigError) || error.code !== "SEGFUSE_CONFIG_FILE") throw error;
    // A base that cannot be read is the fault of the line that names it.
    const { message, found, expected } = error.complaints[0]!;
    const complaint: Complaint = {
      code: error.code,
      message,
      origin: from,
      path: [baseKey],
      found: `${displayPath(path)}: ${found}`,
    };
    throw new ConfigError([expected === undefined ? complaint : { ...complaint, expected }]);
  }
  return inherit(node, [...chain, path]);
}

async function inherit(node: MapNode, chain: readonly string[]): Promise<Inherited> {
  const file = chain.at(-1)!;
  const own = without(node, baseKey);
  const bases = await joinedBases(node, own, chain);
  if (bases === null) return { node: mergeMaps(emptyMap(own.origin), own), files: new Set([file]) };
  return { node: mergeMaps(bases.node, own), files: new Set([...bases.files, file]) };
}

async function joinedBases(node: MapNode, own: MapNode, chain: readonly string[]): Promise<Inherited | null> {
  const entry = node.entries.get(baseKey);
  if (entry === undefined) return null;
  const complaints: Complaint[] = [];
  let joined: Inherited | null = null;
  for (const [path, origin] of baseFiles(entry.node)) {
    const base = await readFileChain(path, chain, origin);
    joined = joined === null ? base : joinBases(joined, base, complaints);
  }
  assertNone(complaintsLeft(complaints, own));
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

function baseFiles(node: ConfigNode): [path: string, origin: Origin][] {
  const names = node.kind === "list" ? node.items : [node];
  if (names.length === 0) throw noBase(node);
  return names.map((name) => {
    if (name.kind !== "scalar" || typeof name.value !== "string" || name.value === "") throw noBase(name);
    return [resolve(name.origin.directory, name.value), name.origin];
  });
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
