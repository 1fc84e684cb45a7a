import { isReservedScore } from "../scores.ts";

/** What a wrong word here would spoil is not seen before a report is read, or a checkpoint is kept as the best. */
export function metricProblem(record: Readonly<Record<string, unknown>>): string | null {
  const { title, column, better } = record;
  const type = record["type"] as string;
  if (isReservedScore(type)) return `the metric '${type}', a name that the loss has`;
  if (better !== undefined && better !== "higher" && better !== "lower")
    return `the metric '${type}' whose better is ${JSON.stringify(better)}, and not "higher" or "lower"`;
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  return isText(title) && isText(column) ? null : `the metric '${type}' whose title or column is no text`;
}
