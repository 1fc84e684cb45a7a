import { basename, resolve } from "node:path";
import { Type, type Static } from "typebox";
import { readWithBases } from "./bases.ts";
import { schemaKeywords } from "../registry/component_ref.ts";
import type { Registry } from "../registry/registry.ts";
import { assertNone, ConfigError, distinct, nearestName, shorten, type Complaint } from "./complaint.ts";
import { wrongDocument } from "./document_kind.ts";
import { ConfigLoader, type LoadedConfig, type LoadOptions } from "./load.ts";
import { commandLineOrigin } from "./origin.ts";
import { readOverlays, RowSchema, rowName, type Overlay, type Row } from "./overlay.ts";
import { resolvePaths } from "./paths.ts";
import { metricComplaints, unknownMetric, unusedSections } from "./study_rules.ts";
import { child, keyOriginAt, originAt, type MapNode } from "./tree.ts";
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
export async function loadStudy(file: string, options: StudyOptions = {}): Promise<LoadedStudy> {
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

  const own = study.rows.map((row, i): Row => ({ ...row, origin: originAt(tree, ["rows", i]) }));
  const rows = [...own, ...overlays.flatMap((overlay) => overlay.extraRows)];
  assertNone([...rowComplaints(rows), ...overlayComplaints(rows, overlays)]);
  if (study.baseline !== null && !rows.some((row) => row.name === study.baseline)) {
    assertNone([
      unknownRow("the baseline", study.baseline, rows, {
        origin: keyOriginAt(tree, ["baseline"]),
        path: ["baseline"],
      }),
    ]);
  }
  const chosen = choose(inOrder(rows), options.rows);
  return {
    path,
    name: [path, ...overlays.map((overlay) => overlay.path)].map(stem).join("_"),
    title: overlays.findLast((overlay) => overlay.title !== null)?.title ?? study.title,
    metric: study.metric,
    baseline: study.baseline,
    seeds: options.seeds ?? study.seeds,
    rows: await loadRows(chosen, loader, { overlays, metric: study.metric, all: rows, tree }),
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
export async function loadPluginsOf(
  file: string,
  options: LoadOptions & { readonly registry: Registry },
): Promise<void> {
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
  study: { overlays: readonly Overlay[]; metric: string; all: readonly Row[]; tree: MapNode },
): Promise<StudyRow[]> {
  const { overlays, metric, tree } = study;
  const complaints: Complaint[] = [];
  const loaded: StudyRow[] = [];
  for (const row of rows) {
    try {
      const by = { origin: row.origin, path: ["rows", row.name, "config"] };
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
  // Rows share their bases: what is wrong in one of those is said once.
  assertNone(distinct(complaints));
  return loaded;
}

function initFromTwice(row: Row, { config, origins }: LoadedConfig): Complaint[] {
  if (config.init_from === null) return [];
  return [
    {
      code: "SEGFUSE_STUDY_WEIGHTS",
      message: `the row '${row.name}' takes its weights from a row, its config from a file`,
      origin: origins.get("init_from") ?? null,
      path: ["init_from"],
      expected: "null: in a study the row's init_from decides",
      found: config.init_from,
    },
  ].filter(() => row.init_from !== null || row.weights_from !== null) as Complaint[];
}

function unknownRow(
  who: string,
  name: string,
  rows: readonly Row[],
  at: Pick<Complaint, "origin" | "path">,
): Complaint {
  const valid = [...new Set(rows.map((row) => row.name))];
  const message = `${who} names a row '${shorten(name)}' that there is not`;
  return { ...at, code: "SEGFUSE_STUDY_UNKNOWN_ROW", message, ...nearestName(name, valid), valid };
}

function rowComplaints(rows: readonly Row[]): Complaint[] {
  const complaints: Complaint[] = [];
  const byName = new Map<string, Row>();
  for (const row of rows) {
    const at = { code: "SEGFUSE_STUDY_ROW_TWICE", origin: row.origin, path: ["rows", row.name] } as const;
    if (byName.has(row.name)) complaints.push({ ...at, message: `there are two rows '${row.name}'` });
    byName.set(row.name, row);
  }
  for (const row of rows) {
    const at = { code: "SEGFUSE_STUDY_WEIGHTS", origin: row.origin, path: ["rows", row.name] } as const;
    for (const key of ["init_from", "weights_from"] as const) {
      const name = row[key];
      if (name === null) continue;
      const target = byName.get(name);
      if (target === undefined) complaints.push(unknownRow(`${key} of '${row.name}'`, name, rows, at));
      else if (target.weights_from !== null) {
        complaints.push({
          ...at,
          message: `${key} of '${row.name}' names a row that trains nothing`,
          found: name,
          advice: target.weights_from,
        });
      }
    }
    if (row.init_from !== null && row.weights_from !== null) {
      complaints.push({
        ...at,
        message: `the row '${row.name}' has both init_from and weights_from`,
        expected:
          "init_from: it trains, from there; or weights_from: it evaluates those weights and trains nothing",
      });
    }
  }
  return complaints;
}

function overlayComplaints(rows: readonly Row[], overlays: readonly Overlay[]): Complaint[] {
  return overlays.flatMap((overlay) =>
    [...overlay.rowOrigins]
      .filter(([name]) => !rows.some((row) => row.name === name))
      .map(([name, origin]) => unknownRow("the overlay", name, rows, { origin, path: ["rows", name] })),
  );
}

function dependencies(row: Row): string[] {
  return [row.init_from, row.weights_from].filter((name) => name !== null);
}

/** Every row after those that it depends on. Throws where they depend on each other in a circle. */
function inOrder(rows: readonly Row[]): Row[] {
  const ordered = new Set<Row>();
  const byName = new Map(rows.map((row) => [row.name, row]));
  const visit = (row: Row, chain: readonly string[]): void => {
    if (ordered.has(row)) return;
    if (chain.includes(row.name)) {
      const circle = [...chain.slice(chain.indexOf(row.name)), row.name].join(" → ");
      const message = "rows depend on each other in a circle";
      throw new ConfigError([
        { code: "SEGFUSE_STUDY_CYCLE", message, origin: row.origin, path: ["rows", row.name], found: circle },
      ]);
    }
    for (const name of dependencies(row)) visit(byName.get(name)!, [...chain, row.name]);
    ordered.add(row);
  };
  for (const row of rows) visit(row, []);
  return [...ordered];
}

function choose(rows: readonly Row[], names: readonly string[] | undefined): readonly Row[] {
  if (names === undefined) return rows;
  const unknown = names.filter((name) => !rows.some((row) => row.name === name));
  const origin = commandLineOrigin(`--rows ${names.join(",")}`);
  assertNone(unknown.map((name) => unknownRow("--rows", name, rows, { origin, path: [] })));
  const wanted = new Set(names);
  for (const row of rows.toReversed())
    if (wanted.has(row.name)) for (const name of dependencies(row)) wanted.add(name);
  return rows.filter((row) => wanted.has(row.name));
}
