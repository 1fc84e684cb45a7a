// Starts worker.ts from source. Node 20 starts no TypeScript as a thread, so this turns on tsx in the new thread
// first. The built package has worker.js and does without this file.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
