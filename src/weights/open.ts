import { SegfuseError } from "../errors.ts";
import type { StateDictChoice } from "./pytorch/choose.ts";
import { PytorchFile } from "./pytorch/file.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { openForReading, readExactly, type Metadata, type WeightFile } from "./weight_file.ts";

export type { StateDictChoice };

/**
 * Opens a weight file of any format that is read: safetensors, or PyTorch's `.pth`/`.pt` (zip, or older than
 * 1.6). The content decides, not the name.
 *
 * @param choice which state dict of a PyTorch file
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE`, `SEGFUSE_WEIGHTS_GLOBAL`, `SEGFUSE_WEIGHTS_KEY`
 */
export async function openWeights(path: string, choice: StateDictChoice = {}): Promise<WeightFile> {
  const format = await formatOf(path);
  if (format !== "safetensors") return PytorchFile.open(path, format, choice);
  return SafetensorsFile.open(path, choice.key);
}

/**
 * What a weight file says of itself beside its tensors; nothing, for formats that say nothing.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE`
 */
export async function readMetadata(path: string): Promise<Metadata> {
  if ((await formatOf(path)) !== "safetensors") return {};
  const file = await SafetensorsFile.open(path);
  await file.close();
  return file.metadata;
}

async function formatOf(path: string): Promise<"safetensors" | "zip" | "legacy"> {
  const { handle, size } = await openForReading(path);
  try {
    const start = Buffer.from(await readExactly(handle, 0, Math.min(size, 64)));
    // A safetensors header begins with a brace, whatever its length happens to spell.
    if (start[8] === 0x7b) return "safetensors";
    if (start.subarray(0, 2).toString("latin1") === "PK") return "zip";
    if (start[0] === 0x80) return "legacy";
    refuseOtherText(path, start.toString("latin1"));
    return /\.(pth?|bin)$/i.test(path) ? "legacy" : "safetensors";
  } finally {
    await handle.close();
  }
}

/** What stands in a weight file's place where a download or a checkout has gone wrong. */
function refuseOtherText(path: string, start: string): void {
  const isPointer = start.startsWith("version https://git-lfs");
  if (!isPointer && !/^\s*<(!doctype|html|\?xml)/i.test(start)) return;
  throw new SegfuseError("SEGFUSE_WEIGHTS_FILE", "this is no weight file", {
    where: path,
    found: isPointer ? "a Git LFS pointer" : "a web page",
    advice: isPointer
      ? "git lfs pull: it fetches the file itself"
      : "look at it in a browser: it may say why the download failed",
  });
}
