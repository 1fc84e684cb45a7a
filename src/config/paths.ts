import { resolve } from "node:path";
import { originAt, type MapNode, type Path } from "./tree.ts";

/** Makes paths absolute, each against the folder of the file that wrote it. */
export function resolvePaths(data: unknown, tree: MapNode, paths: readonly Path[]): void {
  for (const path of paths) {
    let holder = data as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) holder = holder[key] as Record<string | number, unknown>;
    const key = path.at(-1)!;
    const value = holder[key];
    if (typeof value === "string" && !value.includes("${env:")) {
      holder[key] = resolve(originAt(tree, path).directory, value);
    }
  }
}
