import { existsSync, statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { resolve as resolveImport } from "import-meta-resolve";
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
  const path = isPath ? resolve(dirname(from), specifier) : findPackage(specifier, from, where);
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

/** As Node resolves an `import` in that file. */
function findPackage(specifier: string, from: string, where: string): string {
  try {
    return fileURLToPath(resolveImport(specifier, pathToFileURL(from).href));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND") {
      throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the package '${specifier}' has no plug-in there`, {
        where,
        found: message,
        cause,
      });
    }
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in package '${specifier}' was not found`, {
      where,
      expected: `a package that is installed for ${dirname(from)}, or a path that starts with ./`,
      found: specifier,
      cause,
    });
  }
}
