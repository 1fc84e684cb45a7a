import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SegfuseError } from "../errors.ts";
import type { AnyRecord, Kind } from "./component.ts";

const kindNames: Record<Kind, true> = {
  backbone: true,
  neck: true,
  head: true,
  auxiliary_head: true,
  loss: true,
  dataset: true,
  transform: true,
  optimizer: true,
  schedule: true,
  name_map: true,
  hook: true,
};

export interface Plugin {
  /** The file that was imported. */
  path: string;
  records: AnyRecord[];
}

/**
 * Imports one plug-in: a module whose default export is a component record or a list of them.
 *
 * @throws SegfuseError `SEGFUSE_PLUGIN_LOAD`: not found, or it threw; `SEGFUSE_PLUGIN_EXPORT`: no records
 */
export async function importPlugin(specifier: string, from: string): Promise<Plugin> {
  const path = locate(specifier, from);
  if (!existsSync(path)) {
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in '${specifier}' is not there`, {
      where: from,
      found: `no file ${path}`,
    });
  }
  let module: { default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (cause) {
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in '${specifier}' could not be loaded`, {
      where: path,
      found: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
      cause,
    });
  }
  const exported: unknown[] = Array.isArray(module.default) ? module.default : [module.default];
  if (exported.length === 0) throw wrongExport(path, "an empty list");
  for (const record of exported) {
    const problem = recordProblem(record);
    if (problem !== null) throw wrongExport(path, problem);
  }
  return { path, records: exported as AnyRecord[] };
}

function locate(specifier: string, from: string): string {
  if (specifier.startsWith("./") || specifier.startsWith("../")) return resolve(dirname(from), specifier);
  if (isAbsolute(specifier)) return specifier;
  try {
    return createRequire(pathToFileURL(from)).resolve(specifier);
  } catch (cause) {
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in package '${specifier}' was not found`, {
      where: from,
      expected: "an installed package, or a path that starts with ./",
      found: specifier,
      cause,
    });
  }
}

function wrongExport(path: string, found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_PLUGIN_EXPORT", "a plug-in exports no component", {
    where: path,
    expected: "`export default defineNeck({ type, description, schema, create })` or a list of such records",
    found,
  });
}

function recordProblem(value: unknown): string | null {
  if (value === undefined) return "no default export";
  if (typeof value !== "object" || value === null) return `a default export that is a ${typeof value}`;
  const record = value as Partial<Record<keyof AnyRecord, unknown>>;
  if (typeof record.kind !== "string" || !Object.hasOwn(kindNames, record.kind)) {
    return `a record whose kind is ${JSON.stringify(record.kind) ?? "missing"}`;
  }
  if (typeof record.type !== "string" || record.type === "") return `a ${record.kind} without a type name`;
  if (!isObjectSchema(record.schema))
    return `the ${record.kind} '${record.type}' without a schema (Type.Object)`;
  if (typeof record.create !== "function") return `the ${record.kind} '${record.type}' without create()`;
  return null;
}

function isObjectSchema(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    value.type === "object" &&
    "properties" in value
  );
}
