import { open, readFile, type FileHandle } from "node:fs/promises";
import { writeError, writeFileAtomically } from "../util/atomic_file.ts";

/** One line of `run.jsonl`: `event` says what happened, the rest what belongs to it. */
export interface RunRecord {
  readonly event: "start" | "train" | "evaluate" | "checkpoint" | "end";
  /** Updates done. */
  readonly iteration: number;
  readonly [key: string]: unknown;
}

/**
 * `run.jsonl`: one JSON object a line, each written at once, so that a reader sees whole lines. A run that goes
 * on from a checkpoint takes out what an earlier one wrote of the updates behind it, so that nothing is there
 * twice; the `start` records stay and tell how often and from where the run went on. Numbers that JSON lacks
 * are null.
 */
export class RunLog {
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  /**
   * @param iteration what the file says of later updates is taken out
   * @throws SegfuseError `SEGFUSE_WRITE`
   */
  static async open(path: string, iteration = 0): Promise<RunLog> {
    await cut(path, iteration);
    try {
      return new RunLog(path, await open(path, "a"));
    } catch (cause) {
      throw writeError(path, cause);
    }
  }

  /** @throws SegfuseError `SEGFUSE_WRITE` */
  async write(record: RunRecord): Promise<void> {
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...record })}\n`;
    try {
      await this.handle.writeFile(line);
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

async function cut(path: string, iteration: number): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => "");
  const kept = text
    .split("\n")
    .filter((line) => isKept(line, iteration))
    .map((line) => `${line}\n`)
    .join("");
  if (kept !== text) await writeFileAtomically(path, [kept]);
}

/** A killed run may have left half a line: it goes as well. */
function isKept(line: string, iteration: number): boolean {
  try {
    const { event, iteration: done } = JSON.parse(line) as RunRecord;
    return event === "start" || done <= iteration;
  } catch {
    return false;
  }
}
