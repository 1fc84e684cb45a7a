import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SegfuseError } from "../errors.ts";

/**
 * The file of a plug-in.
 *
 * @param specifier a path (`./neck.ts`, absolute) or a package name
 * @param from the file that names it: paths are relative to it, packages are looked up from its folder on
 * @param where how a message names that place; default: `from`
 * @throws SegfuseError `SEGFUSE_PLUGIN_LOAD` where there is no such file or package
 */
export function resolvePlugin(specifier: string, from: string, where = from): string {
  const isPath = /^\.\.?\//.test(specifier) || isAbsolute(specifier);
  const path = isPath ? resolve(dirname(from), specifier) : findPackage(specifier, from);
  if (path === null) {
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in package '${specifier}' was not found`, {
      where,
      expected: `a package that is installed for ${dirname(from)}, or a path that starts with ./`,
      found: specifier,
    });
  }
  if (!existsSync(path)) {
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in '${specifier}' is not there`, {
      where,
      found: `no file ${path}`,
    });
  }
  if (statSync(path).isDirectory()) {
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in '${specifier}' is a folder`, {
      where,
      expected: "a file, or a package's name",
      found: path,
    });
  }
  return path;
}

function findPackage(specifier: string, from: string): string | null {
  const require = createRequire(pathToFileURL(from));
  try {
    return require.resolve(specifier);
  } catch {
    // A package that exports to `import` alone; `import.meta.resolve` takes no other parent than this file.
    const [, name, subpath] = /^((?:@[^/]+\/)?[^/]+)(\/.+)?$/.exec(specifier) ?? [];
    if (name === undefined) return null;
    for (const folder of require.resolve.paths(name) ?? []) {
      const file = join(folder, name, "package.json");
      if (!existsSync(file)) continue;
      const { exports } = JSON.parse(readFileSync(file, "utf8")) as { exports?: unknown };
      const target = exportTarget(exports, `.${subpath ?? ""}`);
      return target === null ? null : join(dirname(file), target);
    }
    return null;
  }
}

const conditions = ["import", "node", "default"];

/** What a package exports under an exact name, as Node resolves an `import`; null where it exports nothing there. */
function exportTarget(exports: unknown, subpath: string): string | null {
  if (typeof exports === "object" && exports !== null && Object.hasOwn(exports, subpath)) {
    return conditional((exports as Record<string, unknown>)[subpath]);
  }
  return subpath === "." ? conditional(exports) : null;
}

function conditional(target: unknown): string | null {
  if (typeof target === "string") return target;
  if (typeof target !== "object" || target === null) return null;
  for (const [condition, inner] of Object.entries(target)) {
    const found = conditions.includes(condition) ? conditional(inner) : null;
    if (found !== null) return found;
  }
  return null;
}
