import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The places of a report that tell when and how fast, and where the work folder was. */
const times = new Set([
  "created",
  "times",
  "seconds",
  "train_seconds",
  "evaluation_seconds",
  "seconds_per_image",
]);

/**
 * Every `report.json` below a work folder as text, by its path in there, without times and with the folder's own
 * place as WORK. The sums of the checkpoints' bytes stay.
 */
export function reportsWithoutTimes(workDir: string): Map<string, string> {
  const files = readdirSync(workDir, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("report.json"))
    .sort();
  const plain = (key: string, value: unknown) => (times.has(key) ? undefined : value);
  return new Map(
    files.map((file) => {
      const report: unknown = JSON.parse(readFileSync(join(workDir, file), "utf8"));
      return [file, JSON.stringify(report, plain, 2).replaceAll(workDir, "WORK")];
    }),
  );
}
