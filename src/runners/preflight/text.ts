import type { SizeRange } from "../../datasets/check.ts";
import { textTable, type Table } from "../../reports/table.ts";
import { formatBytes } from "../../util/bytes.ts";
import type { TrialUpdate } from "../../training/trial_update.ts";
import type { Preflight } from "./index.ts";

/**
 * What a check found, for people: a table of the splits, one of the classes' shares of the labelled pixels, and
 * what the run will take.
 *
 * @param availableMemory bytes
 */
export function formatPreflight(
  found: Preflight & { readonly update: TrialUpdate | null },
  availableMemory: number,
): string {
  const { parameters, memory, disk, update } = found;
  const free = disk.free === null ? "" : `, ${formatBytes(disk.free)} free`;
  const takes = [
    `parameters: ${count(parameters.total)} (auxiliary heads left out), ${count(parameters.trained)} trained`,
    memory === null
      ? "memory: unknown"
      : `memory: about ${formatBytes(memory.total)}, ${formatBytes(availableMemory)} free`,
    `disk: ${disk.checkpoints} checkpoints of ${formatBytes(disk.checkpoint)} = ${formatBytes(disk.total)}${free}`,
    ...(update === null ? [] : [updateText(update)]),
  ];
  return [textTable(splitTable(found)), textTable(classTable(found)), takes.join("\n")].join("\n\n");
}

function updateText({ losses: { loss, ...parts }, seconds }: TrialUpdate): string {
  const each = Object.entries(parts).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  return `first update: loss ${loss!.toFixed(3)} (${each.join(", ")}), ${seconds.toFixed(1)} s`;
}

function splitTable({ data }: Preflight): Table {
  return {
    columns: [
      { header: "split", align: "left" },
      { header: "samples", align: "right" },
      { header: "checked", align: "right" },
      { header: "height x width", align: "left" },
    ],
    rows: data.splits.map(({ section, split, length, checked, sizes }) => [
      split === section ? split : `${split} (${section})`,
      String(length),
      String(checked),
      sizes === null ? "–" : sizeText(sizes),
    ]),
  };
}

/** Shares of the labelled pixels; what is ignored as a share of all pixels. */
function classTable({ data: { splits }, info }: Preflight): Table {
  const labelled = splits.map(({ pixels }) => pixels.reduce((sum, n) => sum + n, 0));
  const classes = info.classes.map((name, k) => [
    name,
    ...splits.map(({ pixels }, i) => share(pixels[k]!, labelled[i]!)),
  ]);
  const ignored = splits.map((split, i) => share(split.ignored, labelled[i]! + split.ignored));
  return {
    columns: [
      { header: "class", align: "left" },
      ...splits.map(({ split }) => ({ header: `${split} %`, align: "right" as const })),
    ],
    rows: [...classes, ["(ignored)", ...ignored]],
  };
}

function share(part: number, whole: number): string {
  return whole === 0 ? "–" : ((100 * part) / whole).toFixed(2);
}

function sizeText({ least, most }: SizeRange): string {
  const [a, b] = [least.join("x"), most.join("x")];
  return a === b ? a : `${a} to ${b}`;
}

function count(parameters: number): string {
  return parameters >= 1e6 ? `${(parameters / 1e6).toFixed(2)} M` : String(parameters);
}
