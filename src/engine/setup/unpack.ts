import { join } from "node:path";
import { SegfuseError } from "../../errors.ts";
import { packageFolder } from "../package.ts";
import { diskError } from "./files.ts";
import { lastLines, runProcess, type ProcessOptions } from "./process.ts";
import type { Command } from "./tools.ts";

export interface UnpackOptions extends Pick<ProcessOptions, "onStart"> {
  /** Python's own zip reader unpacks: pip needs a Python, so that it is there, and no package has to be added. */
  python: Command;
  wheel: string;
  /** The folder to make. */
  folder: string;
  onBytes?: (done: number, total: number) => void;
}

/**
 * Unpacks the libraries, the headers of the C interface and the licences of a TensorFlow wheel.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_UNPACK`, `SEGFUSE_SETUP_DISK`
 */
export async function unpackWheel(options: UnpackOptions): Promise<void> {
  const script = join(packageFolder(), "src", "engine", "setup", "unpack_wheel.py");
  const { code, output } = await runProcess(options.python, [script, options.wheel, options.folder], {
    onStart: options.onStart,
    onLine: (line) => {
      const [done = Number.NaN, total = Number.NaN] = line.split(" ").map(Number);
      if (total > 0) options.onBytes?.(done, total);
    },
  });
  if (code === 0) return;
  const found = lastLines(output, 1);
  if (/Errno 28|No space left|Errno 122/.test(output)) throw diskError(options.folder, found);
  throw new SegfuseError("SEGFUSE_SETUP_UNPACK", "the wheel could not be unpacked", {
    where: options.wheel,
    found,
    advice: "run `segfuse setup` again; `python3 --version` should say 3.6 or newer",
  });
}
