import { Ajv } from "ajv";
import node, { createRequire, register } from "node:module";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { SegfuseError } from "../errors.ts";
import { packageRoot } from "../util/package_root.ts";
import { placeIn } from "../util/place_in.ts";
import { segfuseVersion } from "../util/versions.ts";
import { apiVersion } from "./api_version.ts";
import type { KindInfo } from "./kind.ts";
import { resolvePlugin } from "./plugin_path.ts";
import type { RecordBase } from "./record.ts";

export interface Plugin {
  /** The file that was imported. */
  path: string;
  records: RecordBase[];
}

/**
 * Imports one plug-in: an ES module (`.js`, `.mjs`, `.ts`) whose default export is a component record or a list of
 * them. Its `segfuse` is this very copy, wherever the plug-in lies.
 *
 * @param specifier a path or a package name, see {@link resolvePlugin}
 * @param from the file that names it
 * @param kinds those that its records may be of; null: any, where a registry has seen them before
 * @throws SegfuseError `SEGFUSE_PLUGIN_LOAD`: not found, or it threw; `SEGFUSE_PLUGIN_EXPORT`: no records;
 *   `SEGFUSE_PLUGIN_API`: it needs a newer segfuse
 */
export async function importPlugin(
  specifier: string,
  from: string,
  kinds: Readonly<Record<string, KindInfo>> | null,
): Promise<Plugin> {
  const path = resolvePlugin(specifier, from);
  await useHooks();
  let module: { default?: unknown; apiVersion?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (cause) {
    const found = (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)).trim();
    const isNewer = found.includes("module 'segfuse' does not provide");
    throw new SegfuseError("SEGFUSE_PLUGIN_LOAD", `the plug-in '${basename(path)}' could not be loaded`, {
      where: placeIn(path, cause),
      found: found.replaceAll(/\s*\n\s*/g, " "),
      ...(isNewer ? { advice: "a newer segfuse, if the name is right" } : {}),
      cause,
    });
  }
  checkVersion(module.apiVersion, path);
  const exported: unknown[] = Array.isArray(module.default) ? module.default : [module.default];
  if (exported.length === 0) throw wrongExport(path, "an empty list");
  for (const record of exported) {
    const problem = recordProblem(record, kinds);
    if (problem !== null) throw wrongExport(path, problem);
  }
  return { path, records: exported as RecordBase[] };
}

/** Node's loader belongs to the thread and not to a run: the hooks are put into it once. */
function useHooks(): Promise<void> {
  const inPlace = Symbol.for(`plugin_hooks ${import.meta.url}`);
  const thread = globalThis as { [inPlace]?: Promise<void> };
  return (thread[inPlace] ??= putHooks());
}

async function putHooks(): Promise<void> {
  // A fault in a TypeScript plug-in is told by its own lines.
  process.setSourceMapsEnabled(true);
  const index = import.meta.url.endsWith(".ts") ? "../index.ts" : "../index.js";
  const settings: HookSettings = {
    importer: import.meta.url,
    copies: {
      segfuse: new URL(index, import.meta.url).href,
      "@tensorflow/tfjs": pathToFileURL(createRequire(import.meta.url).resolve("@tensorflow/tfjs")).href,
    },
  };
  const hooks = new URL("src/registry/plugin_hooks.mjs", packageRoot());
  // From Node 26 on `register` is deprecated; Node 20 and 22.13 have nothing else.
  const { registerHooks } = node as { registerHooks?: (hooks: object) => void };
  if (registerHooks === undefined) return register(hooks, { data: settings });
  const { createHooks } = (await import(hooks.href)) as { createHooks: (settings: HookSettings) => object };
  registerHooks(createHooks(settings));
}

/** What `plugin_hooks.mjs` is told; it says what these are. */
interface HookSettings {
  readonly importer: string;
  readonly copies: Readonly<Record<string, string>>;
}

function checkVersion(wanted: unknown, path: string): void {
  if (wanted === undefined) return;
  if (typeof wanted !== "number" || !Number.isInteger(wanted) || wanted < 1) {
    throw wrongExport(path, `an apiVersion that is ${JSON.stringify(wanted) ?? typeof wanted}`);
  }
  if (wanted <= apiVersion) return;
  throw new SegfuseError("SEGFUSE_PLUGIN_API", "a plug-in needs a newer segfuse", {
    where: path,
    expected: `apiVersion ${apiVersion} or below, which segfuse ${segfuseVersion()} has`,
    found: `apiVersion ${wanted}`,
    advice: "install the newest segfuse, or an older version of the plug-in",
  });
}

function wrongExport(path: string, found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_PLUGIN_EXPORT", "a plug-in exports no component", {
    where: path,
    expected: "`export default defineNeck({ type, description, schema, create })` or a list of such records",
    found,
  });
}

function recordProblem(value: unknown, kinds: Readonly<Record<string, KindInfo>> | null): string | null {
  if (value === undefined) return "no default export";
  if (typeof value !== "object" || value === null) return `a default export that is a ${typeof value}`;
  const record = value as Record<string, unknown>;
  const { kind, type, description } = record;
  if (typeof kind !== "string" || (kinds !== null && !Object.hasOwn(kinds, kind))) {
    return `a record whose kind is ${JSON.stringify(kind) ?? "missing"}`;
  }
  if (typeof type !== "string" || !/^[A-Za-z][A-Za-z0-9_.-]*$/.test(type)) {
    return `a ${kind} whose type is ${JSON.stringify(type) ?? "missing"}, and not a name`;
  }
  if (typeof description !== "string") return `the ${kind} '${type}' without a description`;
  if (!isObjectSchema(record.schema)) return `the ${kind} '${type}' without a schema (Type.Object)`;
  const fault = schemaProblem(record.schema) ?? rulesProblem(record["rules"]);
  if (fault !== null) return `the ${kind} '${type}' ${fault}`;
  if (typeof record["create"] !== "function") return `the ${kind} '${type}' without create()`;
  return kinds?.[kind]!.problem?.(record) ?? null;
}

/** What is wrong with the schema of a component's options. */
function schemaProblem(schema: { readonly properties: object }): string | null {
  if (Object.hasOwn(schema.properties, "type"))
    return "with an option 'type', which is the component's own name";
  try {
    new Ajv({ strict: false, logger: false }).compile(schema);
    return null;
  } catch (error) {
    const reason = (error as Error).message.replaceAll("data/properties/", "").split(", ")[0]!;
    return `whose ${reason}`;
  }
}

function rulesProblem(rules: unknown): string | null {
  if (rules === undefined) return null;
  const isRule = (rule: unknown) => typeof (rule as { check?: unknown } | null)?.check === "function";
  return Array.isArray(rules) && rules.every(isRule) ? null : "whose rules are no list of { check(options) }";
}

function isObjectSchema(value: unknown): value is { readonly properties: object } {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    value.type === "object" &&
    "properties" in value &&
    typeof value.properties === "object" &&
    value.properties !== null
  );
}
