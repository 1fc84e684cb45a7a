import { dirname } from "node:path";
import { ConfigError, type Complaint } from "./complaint.ts";
import type { Origin } from "./tree.ts";

/** A text of YAML with the file that it came from: says where an offset is, and complains of what stands there. */
export class YamlSource {
  private readonly directory: string;
  private readonly lineStarts: readonly number[];

  /**
   * @param path the file's absolute path
   * @param from what brought the file in
   */
  constructor(
    readonly text: string,
    readonly path: string,
    private readonly from: Origin | undefined,
  ) {
    this.directory = dirname(path);
    this.lineStarts = [0, ...[...text.matchAll(/\r\n?|\n/g)].map(({ index, 0: end }) => index + end.length)];
  }

  origin(position: number): Origin {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.lineStarts[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    const start = this.lineStarts[low]!;
    const end = this.lineStarts[low + 1] ?? this.text.length + 1;
    return {
      source: this.path,
      line: low + 1,
      column: position - start + 1,
      directory: this.directory,
      text: this.text.slice(start, end - 1),
      ...(this.from === undefined ? {} : { from: this.from }),
    };
  }

  complaint(position: number, message: string, more: Partial<Complaint> = {}): Complaint {
    return { code: "SEGFUSE_CONFIG_SYNTAX", message, origin: this.origin(position), path: [], ...more };
  }

  fault(position: number, message: string, more: Partial<Complaint> = {}): ConfigError {
    return new ConfigError([this.complaint(position, message, more)]);
  }
}
