import { open, type FileHandle } from "node:fs/promises";

/** One line of `run.jsonl`: `event` says what happened, the rest what belongs to it. */
export interface RunRecord {
  readonly event: "start" | "train" | "evaluate" | "checkpoint" | "end";
  /** Updates done. */
  readonly iteration: number;
  readonly [key: string]: unknown;
}

/**
 * `run.jsonl`: one JSON object a line, each written at once, so that a reader sees whole lines. A resumed run
 * goes on below: of two records of the same iteration the later one counts. Numbers that JSON lacks are null.
 */
export class RunLog {
  private constructor(private readonly handle: FileHandle) {}

  static async open(path: string): Promise<RunLog> {
    const handle = await open(path, "a+");
    const { size } = await handle.stat();
    // A killed run may have left half a line.
    if (size > 0) {
      const last = Buffer.alloc(1);
      await handle.read(last, 0, 1, size - 1);
      if (last[0] !== 10) await handle.write("\n");
    }
    return new RunLog(handle);
  }

  async write(record: RunRecord): Promise<void> {
    await this.handle.write(`${JSON.stringify({ time: new Date().toISOString(), ...record })}\n`);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
