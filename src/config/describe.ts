import { provenance, type Origin } from "./origin.ts";
import { stringifyConfig, type LoadedConfig } from "./load.ts";
import { pathText, type ConfigNode, type Path } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

/**
 * A resolved config as YAML in which a comment beside each value says where it was written: the file, line and column,
 * the environment variable, `--set`, or `default`, and by which files a base came in. It loads as the config does.
 */
export function stringifyWithOrigins({ config, origins }: LoadedConfig): string {
  const text = stringifyConfig(config, -1);
  const lines = text.split("\n");
  const width = Math.min(60, Math.max(...lines.map((line) => line.length)));
  for (const [line, path] of leafLines(parseYaml(text, ""))) {
    const written = lines[line - 1]!;
    lines[line - 1] = `${written.padEnd(width)} # ${originOf(path, origins)}`;
  }
  return lines.join("\n");
}

/** Where a value was written; a part of a value that was written as a whole has the whole's origin. */
function originOf(path: Path, origins: ReadonlyMap<string, Origin>): string {
  const origin = origins.get(pathText(path));
  return origin === undefined ? "default" : provenance(origin);
}

/** The line on which each value without parts begins, that of its key where it has one. */
function* leafLines(node: ConfigNode, path: Path = [], line = node.origin.line!): Generator<[number, Path]> {
  const isLeaf =
    node.kind === "scalar" ||
    (node.kind === "list" && node.items.length === 0) ||
    (node.kind === "map" && node.entries.size === 0);
  if (isLeaf) yield [line, path];
  else if (node.kind === "list")
    for (const [i, item] of node.items.entries()) yield* leafLines(item, [...path, i]);
  else
    for (const [key, entry] of node.entries) yield* leafLines(entry.node, [...path, key], entry.origin.line!);
}

/** One key in which two configs differ. */
export interface ConfigDifference {
  readonly path: string;
  /** JSON; null: the config does not have the key. */
  readonly before: string | null;
  readonly after: string | null;
  readonly beforeOrigin: string;
  readonly afterOrigin: string;
}

/** Every key in which two resolved configs differ, by name; lists of plain values are one. */
export function diffConfigs(before: LoadedConfig, after: LoadedConfig): ConfigDifference[] {
  const [a, b] = [flat(before.config), flat(after.config)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .filter((key) => a.get(key) !== b.get(key))
    .map((path) => ({
      path,
      before: a.get(path) ?? null,
      after: b.get(path) ?? null,
      beforeOrigin: a.has(path) ? originOf([path], before.origins) : "",
      afterOrigin: b.has(path) ? originOf([path], after.origins) : "",
    }));
}

function flat(value: unknown, path = "", into = new Map<string, string>()): Map<string, string> {
  const isMap = typeof value === "object" && value !== null;
  const isPlain = Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
  if (!isMap || isPlain || Object.keys(value).length === 0) into.set(path, JSON.stringify(value));
  else
    for (const [key, inner] of Object.entries(value)) flat(inner, path === "" ? key : `${path}.${key}`, into);
  return into;
}

/** The differences as text: a line with `-` and one with `+` below each key, as in a patch. */
export function diffText(differences: readonly ConfigDifference[]): string {
  const side = (sign: string, value: string | null, origin: string) =>
    value === null ? [] : [`${sign} ${value}  # ${origin}`];
  return differences
    .flatMap(({ path, before, after, beforeOrigin, afterOrigin }) => [
      path,
      ...side("  -", before, beforeOrigin),
      ...side("  +", after, afterOrigin),
    ])
    .join("\n");
}
