// Starts worker.ts from source, as src/datasets/workers/from_source.mjs does; the built package has worker.js.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
