import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SegfuseError } from "../../src/errors.ts";
import { train, type TrainInputs, type TrainResult } from "../../src/runners/train.ts";
import { silentLogger } from "../../src/util/logger.ts";
import { TinyRun } from "./tiny_run.ts";

/** A line of `run.jsonl`. */
export interface LogLine {
  event: string;
  iteration: number;
  [key: string]: unknown;
}

/** Tiny runs by name, for tests of what happens around updates. */
export class HookRuns {
  readonly tiny: TinyRun;

  constructor(images: { train?: number; val?: number } = {}) {
    this.tiny = new TinyRun(images);
  }

  /** @param set as `--set`: `hooks=[{type: ema}]` */
  async start(name: string, set: string[] = [], more: Partial<TrainInputs> = {}): Promise<TrainResult> {
    const loaded = await this.tiny.load(...set);
    const { registry } = this.tiny;
    return train({ loaded, workDir: this.tiny.path(name), registry, logger: silentLogger, ...more });
  }

  /** What a failing run tells its user, with the temporary folder as FOLDER. */
  async complaint(action: Promise<unknown>): Promise<string> {
    try {
      await action;
      return "no error";
    } catch (error) {
      if (!(error instanceof SegfuseError)) throw error;
      return error.report().replaceAll(this.tiny.folder, "FOLDER");
    }
  }

  log(name: string): LogLine[] {
    const lines = this.text(name, "run.jsonl").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as LogLine);
  }

  text(...path: string[]): string {
    return this.bytes(...path).toString();
  }

  json<T>(...path: string[]): T {
    return JSON.parse(this.text(...path)) as T;
  }

  bytes(...path: string[]): Buffer {
    return readFileSync(join(this.tiny.folder, ...path));
  }

  remove(): void {
    this.tiny.remove();
  }
}
