import { basename, resolve } from "node:path";
import { Type, type Static } from "typebox";
import { readWithBases } from "./bases.ts";
import { schemaKeywords } from "../registry/component_ref.ts";
import { assertNone, ConfigError, distinct, type Complaint } from "./complaint.ts";
import { wrongDocument } from "./document_kind.ts";
import { ConfigLoader, type LoadedConfig, type LoadOptions } from "./load.ts";
import { readOverlays, RowSchema, rowName, rowsAt, type Overlay, type Row } from "./overlay.ts";
import { resolvePaths } from "./paths.ts";
import {
  baselineComplaints,
  chosenComplaints,
  cycleComplaints,
  dependencies,
  overlayComplaints,
  paperComplaints,
  rowComplaints,
} from "./study_rows.ts";
import { initFromTwice, metricComplaints, unknownMetric, unusedSections } from "./study_rules.ts";
import { child, type MapNode } from "./tree.ts";
import { Validator } from "./validate.ts";

/** A study: the rows of one table, each a config, beside the paper's numbers. */
export const StudySchema = Type.Object(
  {
    title: Type.String({ minLength: 1, description: "above the table" }),
    // Any text, because the plug-ins of the rows are not known when the study's own file is checked.
    metric: Type.String({
      minLength: 1,
      default: "mIoU",
      description: "the metric that the table compares",
      [schemaKeywords.suggested]: "metric",
    }),
    baseline: Type.Union([rowName("a row's name"), Type.Null()], {
      default: null,
      description: "the row that the others are compared with",
    }),
    seeds: Type.Array(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), {
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      default: [0],
      description: "every row is trained once a seed",
    }),
    rows: Type.Array(RowSchema, {
      minItems: 1,
      description: "the table's lines; paths are relative to this file",
    }),
  },
  { additionalProperties: false, description: "a segfuse study" },
);

export interface StudyOptions extends LoadOptions {
  /** Only these rows and what they depend on. */
  rows?: readonly string[] | undefined;
  /** Instead of the study's. */
  seeds?: readonly number[] | undefined;
}

export interface StudyRow {
  readonly name: string;
  readonly label: string;
  readonly loaded: LoadedConfig;
  /** The row whose last checkpoint (of the same seed) training starts from. */
  readonly initFrom: string | null;
  /** The row whose weights are evaluated; nothing is trained then. */
  readonly weightsFrom: string | null;
  /** The paper's numbers by metric, in per cent. */
  readonly paper: Readonly<Record<string, number>> | null;
}

export interface LoadedStudy {
  /** The file, absolute. */
  readonly path: string;
  /** The file's name without its ending, and the overlays' behind it: the work folder's name. */
  readonly name: string;
  readonly title: string;
  readonly metric: string;
  readonly baseline: string | null;
  readonly seeds: readonly number[];
  /** In an order in which every row comes after those that it depends on, and otherwise in the file's. */
  readonly rows: readonly StudyRow[];
}

/**
 * Loads a study with all its rows' configs: row's file, then the overlays' `config`, then the overlays' part for the row,
 * then `--set`.
 *
 * @throws ConfigError `SEGFUSE_STUDY_…` for rows that do not fit together, else as `loadConfig`; the complaints of all
 *   rows come together
 */
export async function loadStudy(file: string, options: StudyOptions): Promise<LoadedStudy> {
  const path = resolve(file);
  const loader = new ConfigLoader(options);
  const tree = (await readWithBases(path)).node;
  const other = wrongDocument(tree, "study", path);
  if (other !== null) throw new ConfigError([other]);
  const { data, complaints, paths } = Validator.of(StudySchema, loader.registry).validate(tree);
  assertNone(complaints);
  resolvePaths(data, tree, paths);
  const study = data as Static<typeof StudySchema>;
  const overlays = await readOverlays(options.overlays, loader.registry);

  const rows = [...rowsAt(study.rows, tree, "rows"), ...overlays.flatMap((overlay) => overlay.extraRows)];
  const wrong = [
    ...rowComplaints(rows),
    ...overlayComplaints(rows, overlays),
    ...baselineComplaints(study.baseline, rows, tree),
    ...cycleComplaints(rows),
    ...chosenComplaints(rows, options.rows),
  ];
  const chosen = choose(inOrder(rows), options.rows);
  const loaded = await loadRows(chosen, loader, {
    overlays,
    metric: study.metric,
    all: rows,
    tree,
    complaints: wrong,
  });
  return {
    path,
    name: [path, ...overlays.map((overlay) => overlay.path)].map(stem).join("_"),
    title: overlays.findLast((overlay) => overlay.title !== null)?.title ?? study.title,
    metric: study.metric,
    baseline: study.baseline,
    seeds: options.seeds ?? study.seeds,
    rows: loaded,
  };
}

/**
 * Whether a file is a study and not a config: its own keys and those of its bases tell.
 *
 * @throws ConfigError where it cannot be read
 */
export async function isStudy(file: string): Promise<boolean> {
  return child((await readWithBases(resolve(file))).node, "rows") !== undefined;
}

/**
 * Registers the plug-ins of a config, or of all configs that a study's rows name, with what overlays and `--set` add;
 * what else is wrong in them is no matter.
 *
 * @throws ConfigError where a file cannot be read, and `SEGFUSE_PLUGIN_…`
 */
export async function loadPluginsOf(file: string, options: LoadOptions): Promise<void> {
  const loader = new ConfigLoader(options);
  const overlays = await readOverlays(options.overlays, loader.registry);
  const tree = (await readWithBases(resolve(file))).node;
  const rows = child(tree, "rows");
  if (rows?.kind !== "list") return loader.loadPluginsOf(file, overlays);
  for (const row of rows.items) {
    const [config, name] = row.kind === "map" ? [child(row, "config"), child(row, "name")] : [];
    if (config?.kind !== "scalar" || typeof config.value !== "string") continue;
    const by = { origin: config.origin, path: ["rows"] };
    const rowName = name?.kind === "scalar" ? String(name.value) : undefined;
    await loader.loadPluginsOf(resolve(config.origin.directory, config.value), overlays, rowName, by);
  }
  for (const extra of overlays.flatMap(({ extraRows }) => extraRows))
    await loader.loadPluginsOf(extra.config, overlays, extra.name, { origin: extra.origin, path: ["rows"] });
}

function stem(path: string): string {
  return basename(path).replace(/\.[^.]+$/, "");
}

async function loadRows(
  rows: readonly Row[],
  loader: ConfigLoader,
  study: {
    overlays: readonly Overlay[];
    metric: string;
    all: readonly Row[];
    tree: MapNode;
    /** What is wrong already. */
    complaints: readonly Complaint[];
  },
): Promise<StudyRow[]> {
  const { overlays, metric, tree } = study;
  const complaints: Complaint[] = [...study.complaints];
  const loaded: StudyRow[] = [];
  for (const row of rows) {
    try {
      const by = { origin: row.originOf("config"), path: ["rows", row.name, "config"] };
      const config = await loader.load(row.config, overlays, row.name, by);
      complaints.push(
        ...initFromTwice(row, config),
        ...metricComplaints(row, config, metric),
        ...unusedSections(row, config, study),
      );
      loaded.push({
        name: row.name,
        label: row.label ?? row.name,
        loaded: config,
        initFrom: row.init_from,
        weightsFrom: row.weights_from,
        paper: row.paper,
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      complaints.push(...error.complaints);
    }
  }
  // By now the rows' plug-ins are there.
  complaints.unshift(...unknownMetric(metric, tree, loader.registry));
  complaints.push(...rows.flatMap((row) => paperComplaints(row, loader.registry)));
  // Rows share their bases: what is wrong in one of those is said once.
  assertNone(distinct(complaints));
  return loaded;
}

/** Every row after those that it depends on; rows in a circle stay as they stand. */
function inOrder(rows: readonly Row[]): Row[] {
  const ordered = new Set<Row>();
  const visit = (row: Row, chain: readonly Row[]): void => {
    if (ordered.has(row) || chain.includes(row)) return;
    for (const next of rows.filter(({ name }) => dependencies(row).includes(name)))
      visit(next, [...chain, row]);
    ordered.add(row);
  };
  for (const row of rows) visit(row, []);
  return [...ordered];
}

function choose(rows: readonly Row[], names: readonly string[] | undefined): readonly Row[] {
  if (names === undefined) return rows;
  const wanted = new Set(names);
  for (const row of rows.toReversed())
    if (wanted.has(row.name)) for (const name of dependencies(row)) wanted.add(name);
  return rows.filter((row) => wanted.has(row.name));
}
