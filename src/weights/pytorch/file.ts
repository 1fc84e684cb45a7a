import { SegfuseError } from "../../errors.ts";
import { openForReading, WeightFile, type Metadata, type TensorInfo } from "../weight_file.ts";
import { LegacyContainer } from "./legacy.ts";
import { findStateDict } from "./state_dict.ts";
import type { PytorchContainer } from "./storages.ts";
import { ForbiddenGlobalError, type PickledTensor } from "./values.ts";
import { contiguous, span } from "./view.ts";
import { ZipContainer } from "./zip.ts";

/**
 * An open PyTorch file (`.pth`, `.pt`), of either format: the tensors of its state dict, which is looked for in a
 * checkpoint. Nothing in the file is run, and only what is asked for is read.
 */
export class PytorchFile extends WeightFile {
  readonly entries: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Metadata = {};

  private constructor(
    readonly path: string,
    private readonly container: PytorchContainer,
    private readonly tensors: ReadonlyMap<string, PickledTensor>,
  ) {
    super();
    this.entries = tensors;
  }

  /**
   * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where the file is missing, broken or no PyTorch file,
   * `SEGFUSE_WEIGHTS_GLOBAL` where it needs code that is not tensors, containers and numbers
   */
  static async open(path: string, format: "zip" | "legacy"): Promise<PytorchFile> {
    try {
      const container = await openContainer(path, format);
      try {
        const tensors = findStateDict(container.root);
        for (const { storage } of tensors.values()) container.check(storage);
        return new PytorchFile(path, container, tensors);
      } catch (error) {
        await container.close();
        throw error;
      }
    } catch (error) {
      throw complaint(path, error as Error);
    }
  }

  protected async data(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const tensor = this.tensors.get(name)!;
    const { begin, end } = span(tensor);
    try {
      return contiguous(tensor, await this.container.read(tensor.storage, begin, end));
    } catch (error) {
      throw complaint(this.path, error as Error);
    }
  }

  async close(): Promise<void> {
    await this.container.close();
  }
}

async function openContainer(path: string, format: "zip" | "legacy"): Promise<PytorchContainer> {
  const { handle, size } = await openForReading(path);
  if (format === "zip") return ZipContainer.open(handle, size);
  try {
    return LegacyContainer.open(handle, size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function complaint(path: string, error: Error): SegfuseError {
  if (error instanceof SegfuseError) return error;
  if (error instanceof ForbiddenGlobalError) {
    return new SegfuseError("SEGFUSE_WEIGHTS_GLOBAL", "a PyTorch file needs code, and none of it is run", {
      where: path,
      expected: "tensors, containers, numbers and text",
      found: error.message,
      advice: "in PyTorch: torch.save(model.state_dict(), …), without the objects around it",
      cause: error,
    });
  }
  return new SegfuseError("SEGFUSE_WEIGHTS_FILE", "this is no usable PyTorch file", {
    where: path,
    found: error.message,
    cause: error,
  });
}
