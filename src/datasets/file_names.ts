import { relative, sep } from "node:path";

/**
 * A name by which files are told apart: in Unicode's composed form (NFC). macOS hands out names in the decomposed form,
 * archives and lists carry either, and on the screen both are one name.
 */
export function nameKey(name: string): string {
  return name.normalize("NFC");
}

/** The longest of `suffixes` that a name ends in, whatever its case; null where it ends in none. */
export function suffixOf(name: string, suffixes: readonly string[]): string | null {
  const lower = nameKey(name).toLowerCase();
  const fitting = suffixes.filter((suffix) => lower.endsWith(nameKey(suffix).toLowerCase()));
  return fitting.reduce<string | null>((a, b) => (a !== null && a.length >= b.length ? a : b), null);
}

/** A name without the suffix that it ends in, in NFC. */
export function withoutSuffix(name: string, suffix: string): string {
  const key = nameKey(name);
  return key.slice(0, key.length - nameKey(suffix).length);
}

/** A path inside `folder` with `/`, whatever the system writes; "" for the folder itself, null for a path outside. */
export function pathInside(folder: string, path: string): string | null {
  const inner = relative(folder, path).split(sep).join("/");
  return inner === ".." || inner.startsWith("../") || inner.startsWith("/") ? null : inner;
}

/** `1 image`, `2 images`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
