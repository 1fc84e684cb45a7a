// Module hooks for plug-ins, from source and installed alike:
// - a plug-in's `segfuse` and `@tensorflow/tfjs` are the copies that run, wherever the plug-in lies, since a
//   second copy would have other classes and other tensors;
// - a plug-in's `.ts` files, and `.js` files that import or export, are ES modules, whatever its package.json says.
//   Types are taken away by esbuild on every version of Node, so that a plug-in means the same on all of them.
// A program's other modules are left alone.
//
// `module.registerHooks` calls them in the importing thread, where `next` returns its result; Node 20 has
// `module.register` alone, which imports this file in a thread of its own, and there `next` returns a promise.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, URL } from "node:url";

/**
 * @typedef {object} HookSettings
 * @property {string} importer the URL of the module that imports plug-ins, each by its file's URL
 * @property {Record<string, string>} copies packages and the URLs that stand for them
 */

/** @param {HookSettings} settings */
export function createHooks({ importer, copies }) {
  /** URLs of plug-ins' own files. */
  const files = new Set();
  /** These, and of all that they import. */
  const reached = new Set();
  return {
    /** @type {import("node:module").ResolveHookSync} */
    resolve(specifier, context, next) {
      const { parentURL } = context;
      const isPlugin = parentURL === importer && specifier.startsWith("file:");
      if (!isPlugin && !reached.has(parentURL)) return next(specifier, context);
      if (Object.hasOwn(copies, specifier)) return next(copies[specifier], context);
      const isFile = isPlugin || (files.has(parentURL) && /^\.\.?\//.test(specifier));
      const name = isFile && !isPlugin ? sourceOf(specifier, parentURL) : specifier;
      return after(next(name, context), (result) => {
        reached.add(result.url);
        if (isFile) files.add(result.url);
        return result;
      });
    },
    /** @type {import("node:module").LoadHookSync} */
    load(url, context, next) {
      if (!files.has(url)) return next(url, context);
      const path = fileURLToPath(url);
      if (/\.m?ts$/.test(path)) return asModule(withoutTypes(path));
      if (!path.endsWith(".js") || context.format === "module") return next(url, context);
      const source = readFileSync(path, "utf8");
      return isModule(source) ? asModule(source) : next(url, context);
    },
  };
}

/** @type {ReturnType<typeof createHooks>} */
let hooks;

/**
 * Called by `module.register`.
 *
 * @param {HookSettings} settings
 */
export function initialize(settings) {
  // Threads may share the one in which this is; their settings are the same.
  hooks ??= createHooks(settings);
}
export const resolve = (specifier, context, next) => hooks.resolve(specifier, context, next);
export const load = (url, context, next) => hooks.load(url, context, next);

/** Calls `use` with a value, or with what a promise comes to. */
const after = (value, use) => (value instanceof Promise ? value.then(use) : use(value));

/** TypeScript's own convention: `./other.js` may be written for other.ts. */
function sourceOf(specifier, parentURL) {
  const source = specifier.replace(/\.(m?)js$/, ".$1ts");
  const isThere = (relative) => existsSync(new URL(relative, parentURL));
  return source !== specifier && !isThere(specifier) && isThere(source) ? source : specifier;
}

const asModule = (source) => ({ format: "module", source, shortCircuit: true });

// Only plug-ins that need it pay for esbuild's start.
const esbuild = () => createRequire(import.meta.url)("esbuild");

function withoutTypes(path) {
  const { code } = esbuild().transformSync(readFileSync(path, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcefile: path,
    sourcemap: "inline",
    logLevel: "silent",
  });
  return code;
}

/** Whether it has what only an ES module has: imports, exports, `import.meta`, `await` at the top. */
function isModule(source) {
  try {
    const { metafile } = esbuild().buildSync({
      stdin: { contents: source, sourcefile: "plugin.js" },
      metafile: true,
      write: false,
      logLevel: "silent",
    });
    return metafile.inputs["plugin.js"].format === "esm";
  } catch {
    return false; // Node says what is wrong with it
  }
}
