import { resolve } from "node:path";
import { Type, type Static } from "typebox";
import { pathOption } from "../registry/component_ref.ts";
import type { Registry } from "../kinds.ts";
import { layersOf } from "./bases.ts";
import { assertNone, ConfigError, distinct, type Complaint } from "./complaint.ts";
import { wrongDocument } from "./document_kind.ts";
import { commandLineOrigin } from "./origin.ts";
import { resolvePaths } from "./paths.ts";
import { safeName } from "./sections.ts";
import { child, originAt, type MapNode, type Origin } from "./tree.ts";
import { Validator } from "./validate.ts";
import { readYamlFile } from "./yaml_file.ts";

/** Names of rows become names of folders. */
export const rowName = (description: string) =>
  Type.String({ pattern: safeName, minLength: 1, maxLength: 200, description });

const optionalRow = (description: string) =>
  Type.Union([rowName("a row's name"), Type.Null()], { default: null, description });

export const RowSchema = Type.Object(
  {
    name: rowName("the row's name: its work folder, and what --rows and the other rows call it"),
    label: Type.Optional(
      Type.String({ minLength: 1, description: "the row's name in tables; default: its name" }),
    ),
    config: pathOption({ description: "the row's config" }),
    init_from: optionalRow("the row whose last checkpoint (same seed) this row's training starts from"),
    weights_from: optionalRow("the row whose weights this row evaluates; it trains nothing"),
    paper: Type.Union([Type.Record(Type.String(), Type.Number()), Type.Null()], {
      default: null,
      description:
        "the paper's numbers by metric, in per cent; for `segfuse cost`: params (millions), flops (10⁹)",
    }),
  },
  { additionalProperties: false, description: "one line of the table" },
);

const ConfigPart = Type.Record(Type.String(), Type.Unknown(), {
  description: "part of a config (_base_ and _delete_ work as in a config file)",
});

/** An overlay: what is laid over a config or over every row of a study, for another data set or a quick look. */
export const OverlaySchema = Type.Object(
  {
    title: Type.Optional(Type.String({ minLength: 1, description: "the study's title with this overlay" })),
    config: Type.Optional(ConfigPart),
    rows: Type.Optional(
      Type.Record(Type.String(), ConfigPart, { description: "by row's name, above `config`" }),
    ),
    extra_rows: Type.Array(RowSchema, {
      default: [],
      description: "rows that the study does not have, at its end",
    }),
  },
  { additionalProperties: false, description: "a segfuse overlay" },
);

/** An overlay as it was read: config parts stay trees, so that they can be merged with their origins. */
export interface Overlay {
  readonly path: string;
  readonly title: string | null;
  /** Laid over a config one after the other. */
  readonly config: readonly MapNode[];
  /** By row, the same. */
  readonly rows: ReadonlyMap<string, readonly MapNode[]>;
  /** Where each row of `rows` is named. */
  readonly rowOrigins: ReadonlyMap<string, Origin>;
  readonly extraRows: readonly Row[];
}

/** A row as a study's or an overlay's file says it, its config's path absolute. */
export interface Row extends Static<typeof RowSchema> {
  readonly origin: Origin;
  /** Where the value of one of its keys stands, or else the row. */
  readonly originOf: (...key: [keyof Static<typeof RowSchema>, ...string[]]) => Origin;
}

/** The rows of a file, with their places in it. */
export function rowsAt(rows: readonly Static<typeof RowSchema>[], tree: MapNode, list: string): Row[] {
  return rows.map((row, i) => ({
    ...row,
    origin: originAt(tree, [list, i]),
    originOf: (...key) => originAt(tree, [list, i, ...key]),
  }));
}

/**
 * Reads overlays, the later above the earlier.
 *
 * @throws ConfigError with the complaints of all of them
 */
export async function readOverlays(
  files: readonly string[] | undefined,
  registry: Registry,
): Promise<Overlay[]> {
  const overlays: Overlay[] = [];
  const complaints: Complaint[] = [];
  for (const file of files ?? []) {
    try {
      overlays.push(await readOverlay(resolve(file), registry));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      complaints.push(...error.complaints);
    }
  }
  assertNone(distinct(complaints));
  return overlays;
}

async function readOverlay(path: string, registry: Registry): Promise<Overlay> {
  const origin = commandLineOrigin("--overlay");
  const tree = await readYamlFile(path, { origin, path: [] });
  const other = wrongDocument(tree, "overlay", path);
  if (other !== null) throw new ConfigError([other]);
  const { data, complaints, paths } = Validator.of(OverlaySchema, registry).validate(tree);
  assertNone(complaints);
  resolvePaths(data, tree, paths);
  const { title, extra_rows } = data as Static<typeof OverlaySchema>;
  const part = child(tree, "config");
  const rows = child(tree, "rows");
  const entries = rows?.kind === "map" ? [...rows.entries] : [];
  // One after the other: a promise that fails while another is awaited would end the process.
  const config = part?.kind === "map" ? await layersOf(part, path) : [];
  const layers = new Map<string, readonly MapNode[]>();
  for (const [name, { node }] of entries) layers.set(name, await layersOf(node as MapNode, path));
  return {
    path,
    title: title ?? null,
    config,
    rows: layers,
    rowOrigins: new Map(entries.map(([name, { origin }]) => [name, origin])),
    extraRows: rowsAt(extra_rows, tree, "extra_rows"),
  };
}
