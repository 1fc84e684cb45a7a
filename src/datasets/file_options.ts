import { Type, type Static, type TObject } from "typebox";
import { SegfuseError } from "../errors.ts";
import type { RuleFinding } from "../registry/record.ts";
import { ColorTable, parseColor } from "./color_table.ts";
import type { DatasetInfo } from "./contracts.ts";
import { storedValues, type LabelTable } from "./label_table.ts";
import { MaskLabels } from "./mask_labels.ts";
import type { Rgb } from "./masks/raw_mask.ts";

/** The key of `label_map` that stands for all stored values which it does not name. */
const otherKey = "other";
const ignored = "ignore";

/** Options of every data set that reads masks from files, to be spread into its schema. */
export const maskOptions = {
  label_map: Type.Record(
    Type.String(),
    Type.Union([Type.Integer({ minimum: 0, maximum: 65534 }), Type.Literal(ignored)]),
    {
      default: {},
      description:
        "what stored values mean, where that is not their own number: a value of 0 to 65535, a colour as " +
        '"#rrggbb", or "other" for all values that are not named here, each with a class number or `ignore`; ' +
        "{255: 1} for masks of 0 and 255",
    },
  ),
  palette_masks: Type.Union([Type.Literal("auto"), Type.Literal("numbers"), Type.Literal("colors")], {
    default: "auto",
    description:
      "masks with a palette: their numbers count, or their colours as classes have them; auto: their numbers, " +
      "unless the colours are those of other classes, which is an error",
  }),
};

export type MaskOptions = Static<TObject<typeof maskOptions>>;
type LabelMap = MaskOptions["label_map"];

/** What of a `label_map` fits neither masks nor these classes; for a data set's rules. */
export function* labelMapFindings(labelMap: LabelMap, numClasses: number): Generator<RuleFinding> {
  for (const [key, label] of Object.entries(labelMap)) {
    const path = ["label_map", key];
    if (key !== otherKey && storedNumber(key) === null && parseColor(key) === null)
      yield {
        path,
        message: "label_map has a key that no mask can store",
        expected: `a number from 0 to ${storedValues - 1}, a colour as "#rrggbb", or ${otherKey}`,
        found: key,
      };
    else if (label !== ignored && label >= numClasses)
      yield {
        path,
        message: "label_map names a class that there is not",
        expected: `a class number from 0 to ${numClasses - 1}, or ${ignored}`,
        found: String(label),
      };
  }
}

/**
 * How a data set's masks are read.
 *
 * @param plain what stored numbers mean without options
 * @param options from {@link maskOptions}; a program may leave them out
 * @param colors of the classes that have one, by their numbers
 * @throws SegfuseError SEGFUSE_DATA_OPTION where `label_map` does not fit the classes
 */
export function maskLabels(
  plain: LabelTable,
  options: Partial<MaskOptions>,
  { classes, ignoreIndex }: DatasetInfo,
  colors: Iterable<readonly [color: Rgb, label: number]> = [],
): MaskLabels {
  const { label_map: labelMap = {}, palette_masks: paletteMasks = "auto" } = options;
  const [wrong] = labelMapFindings(labelMap, classes.length);
  if (wrong !== undefined) {
    const { message, path, ...details } = wrong;
    throw new SegfuseError("SEGFUSE_DATA_OPTION", message, {
      where: `data.dataset.${path.join(".")}`,
      ...details,
    });
  }
  const labelOf = (label: number | typeof ignored) => (label === ignored ? ignoreIndex : label);
  const other = labelMap[otherKey] === undefined ? null : labelOf(labelMap[otherKey]);
  const values = new Map<number, number>();
  const mappedColors: [Rgb, number][] = [];
  for (const [key, label] of Object.entries(labelMap)) {
    const [value, color] = [storedNumber(key), parseColor(key)];
    if (value !== null) values.set(value, labelOf(label));
    if (color !== null) mappedColors.push([color, labelOf(label)]);
  }
  const table = values.size === 0 && other === null ? plain : plain.with(values, other, describe(labelMap));
  return new MaskLabels(table, new ColorTable(colors, mappedColors, other), paletteMasks);
}

/**
 * What to do where values that are ignored may be a class's, for a data set's `ignoredAdvice`.
 *
 * @param value the stored value that is ignored where `label_map` says nothing of it
 * @param absent a class that no mask has; null: all are there
 */
export function labelMapAdvice(labelMap: LabelMap, value: number, absent: number | null): string {
  if (String(value) in labelMap) return "data.dataset.label_map says which stored values are ignored";
  const label = absent === null ? "a class's number" : String(absent);
  return `if ${value} stands for a class in the masks: data.dataset.label_map: {${value}: ${label}}`;
}

function storedNumber(key: string): number | null {
  if (!/^(0|[1-9]\d{0,4})$/.test(key)) return null;
  const value = Number(key);
  return value < storedValues ? value : null;
}

/** `255 → 1, other → ignore` */
function describe(labelMap: LabelMap): string {
  const shown = Object.entries(labelMap).map(([key, label]) => `${key} → ${label}`);
  return shown.length > 8 ? `${shown.slice(0, 8).join(", ")}, … (${shown.length} in all)` : shown.join(", ");
}
