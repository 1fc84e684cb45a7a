// Module hooks for plug-ins (`module.register`; they run on Node's loader thread, from source and installed alike):
// - a plug-in's `segfuse` and `@tensorflow/tfjs` are the copies that run, wherever the plug-in lies, since a
//   second copy would have other classes and other tensors;
// - a `.ts` file outside of segfuse is an ES module, whatever its package.json says. Types are taken away by
//   esbuild on every version of Node, so that a plug-in means the same on all of them.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath, URL } from "node:url";

/** @type {{ own: string[], copies: Record<string, string> }} */
let settings;

/** @param {{ own: string[], copies: Record<string, string> }} data */
export function initialize(data) {
  settings = data;
}

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, next) {
  if (Object.hasOwn(settings.copies, specifier)) return next(settings.copies[specifier], context);
  if (/^\.\.?\//.test(specifier) && isPlugin(context.parentURL)) {
    const url = new URL(specifier, context.parentURL);
    // TypeScript's own convention: `./other.js` may be written for other.ts.
    const source = new URL(url.href.replace(/\.js$/, ".ts"));
    if (url.protocol === "file:" && !existsSync(url) && existsSync(source)) {
      return { url: source.href, format: "module", shortCircuit: true };
    }
  }
  return next(specifier, context);
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, next) {
  if (!isPlugin(url) || !/\.m?ts(\?|$)/.test(url)) return next(url, context);
  const { transform } = await import("esbuild");
  const path = fileURLToPath(url);
  const { code } = await transform(await readFile(path, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcefile: path,
    sourcemap: "inline",
    logLevel: "silent",
  });
  return { format: "module", source: code, shortCircuit: true };
}

/**
 * Anything that is not segfuse's own code, which may itself be TypeScript that another loader (tsx) compiles.
 *
 * @param {string | undefined} url
 */
function isPlugin(url) {
  if (url === undefined || !url.startsWith("file:")) return false;
  return !settings.own.some((folder) => url.startsWith(folder));
}
