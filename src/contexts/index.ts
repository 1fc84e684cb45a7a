import type { ContextRecord } from "./contracts.ts";
import none from "./none.ts";
import ppm from "./ppm.ts";

/** The contexts that come with segfuse. */
export const contexts: readonly ContextRecord[] = [ppm, none];
