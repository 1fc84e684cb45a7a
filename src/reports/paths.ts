import { isAbsolute, relative, resolve, sep } from "node:path";

// Reports are for others, who have other machines: no path in them starts at a machine's root.

/**
 * How a report names a file: from the work folder where it lies in there, a checkpoint elsewhere from its own work
 * folder, anything else by its name.
 *
 * @param workDir null: there is none
 */
export function pathInReport(path: string, workDir: string | null): string {
  const inside = workDir === null ? null : relative(resolve(workDir), resolve(path));
  if (inside !== null && inside !== "" && inside.split(sep)[0] !== ".." && !isAbsolute(inside))
    return inside.split(sep).join("/");
  const names = path.split(/[\\/]/).filter((name) => name !== "");
  const checkpoints = names.at(-3) === "checkpoints" ? -3 : names.at(-2) === "checkpoints" ? -2 : -1;
  return names.slice(checkpoints).join("/");
}

/** A name as it is, unless it is a machine's path, as sample ids and the reports of earlier versions may be. */
export function withoutMachine(name: string): string {
  return isAbsolute(name) || /^[A-Za-z]:[\\/]/.test(name) ? pathInReport(name, null) : name;
}
