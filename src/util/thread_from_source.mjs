// Starts a thread whose module, the argument, is TypeScript: turns on tsx in the new thread first. That takes two
// seconds of a core for a data worker; tests, which start some hundreds, have made JavaScript of all modules before
// and name its folder. The built package does without this file.
import process from "node:process";
import { URL } from "node:url";

const entry = process.argv[2];
const built = process.env.SEGFUSE_BUILT;
if (built) {
  const root = new URL("../../", import.meta.url).href;
  await import(entry.replace(root, built).replace(/\.ts$/, ".js"));
} else {
  const { register } = await import("tsx/esm/api");
  register();
  await import(entry);
}
