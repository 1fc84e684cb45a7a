import { showValue, type Complaint } from "./complaint.ts";
import { commandLineOrigin } from "./origin.ts";
import { merge } from "./merge.ts";
import {
  emptyMap,
  forbiddenKeys,
  fromData,
  toData,
  withEntry,
  type ConfigNode,
  type MapNode,
  type Origin,
} from "./tree.ts";
import { parseYamlValue, yamlReason } from "./yaml.ts";

interface Override {
  keys: string[];
  value: ConfigNode;
  origin: Origin;
}

/** Gives the value that stands at a path once defaults are filled in; undefined where there is none. */
export type DefaultAt = (tree: MapNode, path: readonly string[]) => unknown;

/**
 * Lays `--set a.b.0.c=VALUE` over a config, in the order given, those of a `type` first (they replace the
 * whole component). VALUE is YAML; a number in the path is an index of a list that is there, be it by default,
 * or a key of a map of numbers.
 *
 * @param folder what relative paths among the values start from
 * @returns the config with all that could be set, and `SEGFUSE_CONFIG_SET` or `SEGFUSE_CONFIG_SET_PATH` for the rest
 */
export function applyOverrides(
  tree: MapNode,
  set: readonly string[],
  folder: string,
  defaultAt: DefaultAt,
): { tree: MapNode; complaints: Complaint[] } {
  const complaints: Complaint[] = [];
  const overrides = set
    .map((text) => parseOverride(text, folder, complaints))
    .filter((parsed) => parsed !== null);
  const ordered = [...overrides.filter(setsType), ...overrides.filter((override) => !setsType(override))];
  let result = tree;
  for (const override of ordered) {
    const context = { override, complaints, defaultAt: (path: readonly string[]) => defaultAt(result, path) };
    result = place(result, 0, context) as MapNode;
  }
  return { tree: result, complaints };
}

function setsType({ keys }: Override): boolean {
  return keys.at(-1) === "type";
}

function parseOverride(text: string, folder: string, complaints: Complaint[]): Override | null {
  const origin = commandLineOrigin(`--set ${text}`, folder);
  const complain = (message: string, more: Partial<Complaint>) => {
    complaints.push({ code: "SEGFUSE_CONFIG_SET", message, origin, path: [], ...more });
    return null;
  };
  const split = text.indexOf("=");
  const keys = text.slice(0, Math.max(0, split)).split(".");
  if (split < 1 || keys.includes("")) {
    return complain("--set is not well formed", { expected: "a.b.0.c=VALUE", found: text });
  }
  const forbidden = keys.find((key) => forbiddenKeys.has(key));
  if (forbidden !== undefined) return complain(`'${forbidden}' is no key that a config can have`, {});
  const written = text.slice(split + 1);
  try {
    return { keys, origin, value: fromData(checked(parseYamlValue(written)), origin) };
  } catch (error) {
    return complain("the value of --set is no YAML", {
      path: keys,
      found: `${written}: ${yamlReason(error)}`,
    });
  }
}

/** Throws where a value holds a key that no config can have. */
function checked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const [key, inner] of Object.entries(value)) {
    if (forbiddenKeys.has(key)) throw new Error(`'${key}' is no key that a config can have`);
    checked(inner);
  }
  return value;
}

interface Placing {
  override: Override;
  complaints: Complaint[];
  defaultAt: (path: readonly string[]) => unknown;
}

function place(node: ConfigNode | undefined, depth: number, context: Placing): ConfigNode {
  const { keys, value, origin } = context.override;
  const key = keys[depth];
  if (key === undefined) return value;
  if (/^\d+$/.test(key)) {
    const there = node ?? fromData(context.defaultAt(keys.slice(0, depth)) ?? null, origin);
    if (!isNumbered(there)) return placeInList(node, Number(key), depth, context);
  }
  if (node?.kind === "list" || (node?.kind === "scalar" && node.value !== null)) {
    return refuse(node, depth, context, node.kind === "list" ? "an index, from 0" : "a map");
  }
  const map = node?.kind === "map" ? node : emptyMap(origin);
  const changed = place(map.entries.get(key)?.node, depth + 1, context);
  // A change of type replaces the whole map, as it does in a file.
  if (depth === keys.length - 1 && key === "type") {
    return merge(map, { kind: "map", origin, entries: new Map([[key, { origin, node: changed }]]) });
  }
  return withEntry(map, key, { origin: map.entries.get(key)?.origin ?? origin, node: changed });
}

/** A map whose keys may be numbers: none yet, or such a one already (`data.dataset.label_map.255=1`). */
function isNumbered(node: ConfigNode): boolean {
  if (node.kind !== "map") return false;
  const keys = [...node.entries.keys()];
  return keys.length === 0 || keys.some((key) => /^\d+$/.test(key));
}

function placeInList(
  node: ConfigNode | undefined,
  index: number,
  depth: number,
  context: Placing,
): ConfigNode {
  const { keys, origin } = context.override;
  const list = node ?? fromData(context.defaultAt(keys.slice(0, depth)) ?? null, origin);
  if (list.kind !== "list") return refuse(list, depth, context, "a list, which an index can name a part of");
  if (index >= list.items.length) {
    return refuse(
      list,
      depth,
      context,
      list.items.length === 0 ? "no index: it is empty" : `0 to ${list.items.length - 1}`,
    );
  }
  return {
    ...list,
    items: list.items.map((item, i) => (i === index ? place(item, depth + 1, context) : item)),
  };
}

function refuse(
  node: ConfigNode,
  depth: number,
  { override, complaints }: Placing,
  expected: string,
): ConfigNode {
  complaints.push({
    code: "SEGFUSE_CONFIG_SET_PATH",
    message: `--set names no place: '${override.keys[depth]}' is not in '${override.keys.slice(0, depth).join(".")}'`,
    origin: override.origin,
    path: override.keys,
    expected,
    found: showValue(toData(node)),
  });
  return node;
}
