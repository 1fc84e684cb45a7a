import type { Registry } from "../kinds.ts";
import { nearestName, shorten, type Complaint } from "./complaint.ts";
import { commandLineOrigin } from "./origin.ts";
import type { Overlay, Row } from "./overlay.ts";
import { originAt, type MapNode } from "./tree.ts";

// What is wrong with a study's rows by themselves, whatever their configs say.

/** The rows whose weights a row needs. */
export function dependencies(row: Row): string[] {
  return [row.init_from, row.weights_from].filter((name) => name !== null);
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

export function rowComplaints(rows: readonly Row[]): Complaint[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  return [...rowsTwice(rows), ...rows.flatMap((row) => weightsComplaints(row, byName, rows))];
}

/** Names are folders: on many file systems `GFF` and `gff` are one. */
function rowsTwice(rows: readonly Row[]): Complaint[] {
  const before = new Map<string, Row>();
  return rows.flatMap((row): Complaint[] => {
    const other = before.get(row.name.toLowerCase());
    before.set(row.name.toLowerCase(), row);
    if (other === undefined) return [];
    return [
      {
        code: "SEGFUSE_STUDY_ROW_TWICE",
        message:
          other.name === row.name
            ? `there are two rows '${row.name}'`
            : `the rows '${other.name}' and '${row.name}' differ in case alone`,
        origin: row.originOf("name"),
        path: ["rows", row.name],
        ...(other.name === row.name ? {} : { expected: "names of folders that differ on every file system" }),
      },
    ];
  });
}

function weightsComplaints(row: Row, byName: ReadonlyMap<string, Row>, rows: readonly Row[]): Complaint[] {
  const complaints: Complaint[] = [];
  const at = { code: "SEGFUSE_STUDY_WEIGHTS", path: ["rows", row.name] } as const;
  for (const key of ["init_from", "weights_from"] as const) {
    const name = row[key];
    if (name === null) continue;
    const origin = row.originOf(key);
    const target = byName.get(name);
    if (target === undefined)
      complaints.push(unknownRow(`${key} of '${row.name}'`, name, rows, { origin, path: at.path }));
    else if (target.weights_from !== null) {
      complaints.push({
        ...at,
        origin,
        message: `${key} of '${row.name}' names a row that trains nothing`,
        found: name,
        advice: target.weights_from,
      });
    }
  }
  if (row.init_from !== null && row.weights_from !== null) {
    complaints.push({
      ...at,
      origin: row.origin,
      message: `the row '${row.name}' has both init_from and weights_from`,
      expected:
        "init_from: it trains, from there; or weights_from: it evaluates those weights and trains nothing",
    });
  }
  return complaints;
}

/** One complaint for each circle of rows that depend on each other. */
export function cycleComplaints(rows: readonly Row[]): Complaint[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const done = new Set<Row>();
  const complaints: Complaint[] = [];
  const visit = (row: Row, chain: readonly Row[]): void => {
    if (chain.includes(row)) {
      const circle = [...chain.slice(chain.indexOf(row)), row];
      complaints.push({
        code: "SEGFUSE_STUDY_CYCLE",
        message: "rows depend on each other in a circle",
        origin: row.originOf(row.init_from === null ? "weights_from" : "init_from"),
        path: ["rows", row.name],
        found: circle.map(({ name }) => name).join(" → "),
      });
    } else if (!done.has(row)) {
      for (const name of dependencies(row)) {
        const next = byName.get(name);
        if (next !== undefined) visit(next, [...chain, row]);
      }
    }
    done.add(row);
  };
  for (const row of rows) visit(row, []);
  return complaints;
}

export function baselineComplaints(
  baseline: string | null,
  rows: readonly Row[],
  tree: MapNode,
): Complaint[] {
  if (baseline === null || rows.some((row) => row.name === baseline)) return [];
  const at = { origin: originAt(tree, ["baseline"]), path: ["baseline"] };
  return [unknownRow("the baseline", baseline, rows, at)];
}

export function overlayComplaints(rows: readonly Row[], overlays: readonly Overlay[]): Complaint[] {
  return overlays.flatMap((overlay) =>
    [...overlay.rowOrigins]
      .filter(([name]) => !rows.some((row) => row.name === name))
      .map(([name, origin]) => unknownRow("the overlay", name, rows, { origin, path: ["rows", name] })),
  );
}

/** Of `--rows`. */
export function chosenComplaints(rows: readonly Row[], names: readonly string[] | undefined): Complaint[] {
  const unknown = (names ?? []).filter((name) => !rows.some((row) => row.name === name));
  const origin = commandLineOrigin(`--rows ${(names ?? []).join(",")}`);
  return unknown.map((name) => unknownRow("--rows", name, rows, { origin, path: [] }));
}

/** What `segfuse cost` compares beside metrics. */
const costs = ["params", "flops"];

/** The paper's numbers are of metrics that there are, in per cent: one by another name would be shown nowhere. */
export function paperComplaints(row: Row, registry: Registry): Complaint[] {
  const valid = [...registry.types("metric"), ...costs];
  return Object.entries(row.paper ?? {}).flatMap(([name, value]): Complaint[] => {
    const at = { origin: row.originOf("paper", name), path: ["rows", row.name, "paper", name] };
    if (!valid.includes(name)) {
      const message = `there is no metric '${shorten(name)}'`;
      return [{ code: "SEGFUSE_STUDY_METRIC", message, ...at, ...nearestName(name, valid), valid }];
    }
    const isOurs = !costs.includes(name) && registry.source(registry.get("metric", name)) === "segfuse";
    const isFraction = value > 0 && value < 1;
    if (!isOurs || (value <= 100 && !isFraction)) return [];
    return [
      {
        code: "SEGFUSE_CONFIG_RANGE",
        message: `'${name}' is out of range`,
        ...at,
        expected: "per cent, such as 78.6",
        found: String(value),
        ...(isFraction ? { advice: `${name}: ${Number((value * 100).toPrecision(12))}` } : {}),
      },
    ];
  });
}
