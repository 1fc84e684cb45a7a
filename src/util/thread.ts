import { extname } from "node:path";
import { Worker } from "node:worker_threads";

/**
 * Starts a module as a thread. Built, it is plain JavaScript; from source it is TypeScript, which Node 20 starts as no
 * thread, so that thread_from_source.mjs starts it.
 *
 * @param module from the importer and without its extension: `./worker`
 * @param importer `import.meta.url` of the caller
 * @param workerData plain data, which the thread finds under that name
 */
export function startThread(module: string, importer: string, workerData?: unknown): Worker {
  const extension = extname(importer);
  const entry = new URL(`${module}${extension}`, importer);
  // The parent's own loader flags (tsx, vitest) must not reach the thread: it has its own.
  const options = { workerData, execArgv: [] };
  if (extension !== ".ts") return new Worker(entry, options);
  return new Worker(new URL("./thread_from_source.mjs", import.meta.url), { ...options, argv: [entry.href] });
}
