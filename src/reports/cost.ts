import { conventionTexts, networkParts, type ByPart, type Cost } from "../cost/index.ts";
import { grouped, millions } from "./numbers.ts";
import { wrapText } from "../util/terminal.ts";
import { textTable, type Table } from "./table.ts";

// What `segfuse cost` prints.

/** A study's facts that its cost table shows. */
export interface CostStudy {
  readonly title: string;
  readonly baseline: string | null;
  readonly rows: readonly {
    readonly name: string;
    readonly label: string;
    readonly paper: Readonly<Record<string, number>> | null;
  }[];
}

/**
 * A network's cost for the terminal: one line a part, then what is beside it.
 *
 * @param width columns of the terminal, here and below
 */
export function formatCost(name: string, cost: Cost, width = Infinity): string {
  const { macs, parameters, activations } = cost;
  const row = (part: keyof ByPart): string[] => [
    part,
    grouped(parameters[part]),
    giga(macs[part]),
    mebibytes(activations.training[part]),
  ];
  const hasAuxiliary = parameters.auxiliary_head > 0;
  const parts = networkParts.filter((part) => part !== "auxiliary_head");
  const table: Table = {
    columns: [
      { header: "Part", align: "left" },
      { header: "Parameters", align: "right" },
      { header: operationsHeader(cost), align: "right" },
      { header: "Activations", align: "right" },
    ],
    rows: [...parts.map(row), row("total"), ...(hasAuxiliary ? [row("auxiliary_head")] : [])],
  };
  const remarks = [
    ...(hasAuxiliary ? ["The auxiliary head works in training alone and is not in the total."] : []),
    conventionLine(cost),
    ...matrixProductsLine(cost),
    "Activations: what a training step keeps of one image for its gradients.",
    `Inference on one image holds ${mebibytes(activations.inference_peak)} at most beside ${mebibytes(4 * parameters.total)} of weights.`,
  ];
  return [
    wrapText(`${name}, ${sizeText(cost)}`, width),
    "",
    textTable(table, width),
    "",
    ...remarks.map((remark) => wrapText(remark, width)),
  ].join("\n");
}

/** A study's cost for the terminal, beside what the paper says in `paper: {params, flops}` (10⁶, 10⁹). */
export function formatStudyCost(
  study: CostStudy,
  costs: readonly (Cost & { name: string })[],
  width = Infinity,
): string {
  const [first] = costs;
  if (first === undefined) return study.title;
  const base = study.rows.findIndex(({ name }) => name === study.baseline);
  // The paper's count of operations is nearer to two per multiply-add, so both are shown.
  const twice = first.convention === "mac";
  const baseCost = costs[base];
  const basePaper = study.rows[base]?.paper ?? null;
  const rows = study.rows.map(({ label, paper }, i) => {
    const { parameters, macs } = costs[i]!;
    const over = (value: number, from: number | undefined, unit: number) =>
      from === undefined || i === base ? "" : signed((value - from) / unit);
    const paperOver = (key: "params" | "flops") => {
      const [own, from] = [paper?.[key], basePaper?.[key]];
      return own === undefined || from === undefined || i === base ? "" : signed(own - from, 1);
    };
    return [
      label,
      millions(parameters.total),
      over(parameters.total, baseCost?.parameters.total, 1e6),
      paper?.["params"]?.toFixed(1) ?? "–",
      paperOver("params"),
      giga(macs.total),
      ...(twice ? [giga(2 * macs.total)] : []),
      over((twice ? 2 : 1) * macs.total, baseCost && (twice ? 2 : 1) * baseCost.macs.total, 1e9),
      paper?.["flops"]?.toFixed(1) ?? "–",
      paperOver("flops"),
    ];
  });
  const right = (header: string, paper = false) => ({ header, align: "right", paper }) as const;
  const table: Table = {
    columns: [
      { header: "Method", align: "left" },
      right("Parameters"),
      right("+"),
      right("paper, M", true),
      right("+", true),
      right(operationsHeader(first)),
      ...(twice ? [right("2mac")] : []),
      right("+"),
      right("paper, G", true),
      right("+", true),
    ],
    rows,
  };
  const remarks = [
    `${sizeText(first)}, without auxiliary heads. +: over ${study.rows[base]?.label ?? "the baseline"}.`,
    conventionLine(first),
    ...(twice ? [`2mac: ${conventionTexts["2mac"]}. The paper does not say what it counts.`] : []),
  ];
  return [
    wrapText(study.title, width),
    "",
    textTable(table, width),
    "",
    ...remarks.map((remark) => wrapText(remark, width)),
  ].join("\n");
}

function conventionLine({ convention }: Cost): string {
  return `${convention}: ${conventionTexts[convention]}.`;
}

function matrixProductsLine({ matrix_products: products, convention }: Cost): string[] {
  if (products.total === 0) return [];
  const counted =
    convention === "mmseg" ? "counted above where a factor is a parameter" : "not counted above";
  return [`Matrix products: ${giga(products.total)} multiply-adds, ${counted}.`];
}

function operationsHeader({ convention }: Cost): string {
  return convention === "mmseg" ? "FLOPs (mmseg)" : convention;
}

function sizeText({ input: [height, width] }: Cost): string {
  return `one image of ${height}×${width} (height × width)`;
}

/** 178499092480 → `178.50 G`. */
function giga(count: number): string {
  return `${(count / 1e9).toFixed(2)} G`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function signed(value: number, decimals = 2): string {
  const text = Math.abs(value).toFixed(decimals);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
}
