import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { kinds } from "../src/builtin.ts";

// The order of rooms is written once, in docs/architecture.md: what stands higher may import what stands lower.

const root = fileURLToPath(new URL("../", import.meta.url));
const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
const order = /```text\n# rooms.*\n([\s\S]*?)```/
  .exec(page)![1]!
  .trimEnd()
  .split("\n")
  .map((line) => line.split(/\s{2,}/)[0]!);

/** What names alone may always be imported from: it does not exist at run time. */
const names = "src/kinds.ts";

interface Import {
  readonly from: string;
  readonly to: string;
  /** Nothing of it is left at run time. */
  readonly isType: boolean;
}

const files = ["src", "tools"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);
const imports = files.flatMap(importsOf);

/** Imports, exports from and dynamic imports of the project's own files. */
function importsOf(from: string): Import[] {
  const source = ts.createSourceFile(
    from,
    readFileSync(join(root, from), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isType: boolean) => {
    if (specifier === undefined || !ts.isStringLiteral(specifier) || !specifier.text.startsWith(".")) return;
    found.push({ from, to: relative(root, resolve(root, dirname(from), specifier.text)), isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeExport(node));
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  const { namedBindings } = clause;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  return (
    clause.name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly)
  );
}

function isTypeExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true;
  return (
    exportClause !== undefined &&
    ts.isNamedExports(exportClause) &&
    exportClause.elements.every((element) => element.isTypeOnly)
  );
}

/** The room of the list that a file is in: the longest that its path begins with. */
function roomOf(file: string): string {
  const rooms = order.filter((room) => file === room || file.startsWith(`${room}/`));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? `no room: ${file}`;
}

/** Arrows that go from a lower room to a higher one. */
function upward(kind: (one: Import) => boolean): string[] {
  return imports
    .filter(kind)
    .filter(({ from, to }) => order.indexOf(roomOf(from)) > order.indexOf(roomOf(to)))
    .map(({ from, to }) => `${from} → ${to}`);
}

/** A circle of files, each of which imports the next; null where there is none. */
function circle(edges: readonly Import[]): string[] | null {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const to of next.get(file) ?? []) {
      const found = walk(to, [...path, file]);
      if (found !== null) return found;
    }
    done.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const found = walk(file, []);
    if (found !== null) return found;
  }
  return null;
}

describe("imports", () => {
  it("are of files that stand in a room of docs/architecture.md", () => {
    expect(files.map(roomOf).filter((room) => room.startsWith("no room"))).toEqual([]);
    expect(order.filter((room) => !files.some((file) => roomOf(file) === room))).toEqual([]);
    expect(imports.length).toBeGreaterThan(1000);
  });

  it("go from higher rooms to lower ones: what runs", () => {
    expect(upward(({ isType }) => !isType)).toEqual([]);
  });

  it("go from higher rooms to lower ones: types", () => {
    expect(upward(({ isType, to }) => isType && to !== names)).toEqual([]);
  });

  it("make no circle of what runs", () => {
    expect(circle(imports.filter(({ isType }) => !isType))).toBeNull();
  });

  it("of src/kinds.ts are names alone", () => {
    expect(imports.filter(({ from, to, isType }) => [from, to].includes(names) && !isType)).toEqual([]);
  });
});

describe("docs/architecture.md", () => {
  it("names files that there are", () => {
    const named = [...page.matchAll(/`((?:src|test|tools|examples)\/[\w./-]+)`/g)].map(([, file]) => file!);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it("says of every kind where one is added", () => {
    const rows = [...page.matchAll(/^\| an? ([\w ]+?) \|/gm)].map(([, name]) => name!.replaceAll(" ", "_"));
    const named = (kind: string) =>
      rows.some((row) => row === kind.replace("dataset", "data_set").replace("optimizer", "optimiser"));
    expect(kinds.filter((kind) => !named(kind))).toEqual([]);
  });
});
