import { PytorchFile } from "./pytorch/file.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { openForReading, readExactly, type WeightFile } from "./weight_file.ts";

/**
 * Opens a weight file of any format that is read: safetensors, or PyTorch's `.pth`/`.pt` (zip, or older than
 * 1.6). The content decides, not the name.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE`, `SEGFUSE_WEIGHTS_GLOBAL`
 */
export async function openWeights(path: string): Promise<WeightFile> {
  const format = await formatOf(path);
  return format === "safetensors" ? SafetensorsFile.open(path) : PytorchFile.open(path, format);
}

async function formatOf(path: string): Promise<"safetensors" | "zip" | "legacy"> {
  const { handle, size } = await openForReading(path);
  try {
    const start = Buffer.from(await readExactly(handle, 0, Math.min(size, 9)));
    // A safetensors header begins with a brace, whatever its length happens to spell.
    if (start[8] === 0x7b) return "safetensors";
    if (start.subarray(0, 2).toString("latin1") === "PK") return "zip";
    if (start[0] === 0x80) return "legacy";
    return /\.(pth?|bin)$/i.test(path) ? "legacy" : "safetensors";
  } finally {
    await handle.close();
  }
}
