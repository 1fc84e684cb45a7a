import { shortList } from "../util/short_list.ts";

/** A list of parameters' names for one line of text; of long lists without their last parts. */
export function summarise(names: readonly string[]): string {
  return shortList(names.length > 6 ? groups(names) : names);
}

/** Names without their last part, each once: `layer4.0.conv1.weight` → `layer4.0.conv1`. */
function groups(names: readonly string[]): string[] {
  return [...new Set(names.map((name) => name.replace(/\.[^.]*$/, "")))];
}

/** The entries whose names begin with a prefix, without it. */
export function below<T>(entries: ReadonlyMap<string, T>, prefix: string): Map<string, T> {
  const inside = [...entries].filter(([name]) => name.startsWith(prefix) && name !== prefix);
  return new Map(inside.map(([name, value]) => [name.slice(prefix.length), value]));
}
