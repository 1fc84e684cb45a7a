import type { NameMapRecord } from "./contracts.ts";
import mmseg from "./mmseg.ts";
import torchvision from "./torchvision.ts";

/** The name maps that come with segfuse. */
export const nameMaps: readonly NameMapRecord[] = [torchvision, mmseg];
