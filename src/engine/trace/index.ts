export type { TraceBackend } from "./backend.ts";
export type { TraceMemory, TraceNode, TraceSource, TraceValue } from "./nodes.ts";
export { runTraced } from "./run.ts";
export { einsumSizes } from "./shapes/linear.ts";
