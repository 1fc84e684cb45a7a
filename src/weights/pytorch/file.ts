import { shortList } from "../../util/short_list.ts";
import { SegfuseError } from "../../errors.ts";
import { needsCode, openForReading, WeightFile, type Metadata, type TensorInfo } from "../weight_file.ts";

import { chooseStateDict, type ChosenStateDict, type StateDictChoice } from "./choose.ts";
import { LegacyContainer } from "./legacy.ts";
import type { PytorchContainer } from "./storages.ts";
import { ForbiddenGlobalError, type PickledTensor } from "./values.ts";
import { contiguous, span } from "./view.ts";
import { ZipContainer } from "./zip.ts";

/**
 * An open PyTorch file (`.pth`, `.pt`), of either format: the tensors of a state dict, which is looked for in a
 * checkpoint. Nothing in the file is run, objects of other code are names, and only what is asked for is read.
 */
export class PytorchFile extends WeightFile {
  readonly entries: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Metadata = {};
  override readonly unreadable: ReadonlyMap<string, string>;
  override readonly notes: readonly string[];
  private readonly tensors: ReadonlyMap<string, PickledTensor>;

  private constructor(
    readonly path: string,
    private readonly container: PytorchContainer,
    { chosen, all }: ChosenStateDict,
  ) {
    super();
    this.entries = this.tensors = chosen.tensors;
    this.unreadable = chosen.unreadable;
    this.notes = notes(all, container.unknown);
  }

  /**
   * @param choice which state dict, where the file has several
   * @throws SegfuseError `SEGFUSE_WEIGHTS_FILE` where the file is missing, broken or no PyTorch file,
   * `SEGFUSE_WEIGHTS_GLOBAL` where objects that only code could make stand in the place of weights,
   * `SEGFUSE_WEIGHTS_KEY` where it has no such state dict, or it is not clear which
   */
  static async open(
    path: string,
    format: "zip" | "legacy",
    choice: StateDictChoice = {},
  ): Promise<PytorchFile> {
    try {
      const container = await openContainer(path, format);
      try {
        const found = chooseStateDict(path, container.root, choice);
        for (const { storage } of found.chosen.tensors.values()) container.check(storage);
        return new PytorchFile(path, container, found);
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

function notes([chosen, ...others]: readonly string[], unknown: readonly string[]): string[] {
  const lines: string[] = [];
  if (others.length > 0) {
    lines.push(`the state dict ${chosen} is taken; the file has others, by key: ${shortList(others)}`);
  }
  if (unknown.length > 0) {
    lines.push(`objects in the file that weights do not need are left as names: ${shortList(unknown)}`);
  }
  return lines;
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
    return needsCode(path, error.message, error);
  }
  return new SegfuseError("SEGFUSE_WEIGHTS_FILE", "this is no usable PyTorch file", {
    where: path,
    found: error.message,
    cause: error,
  });
}
