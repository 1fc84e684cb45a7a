import type { TSchema } from "typebox";
import type { Registry } from "../kinds.ts";
import { baseKey } from "./bases.ts";
import { composeSchema } from "./compose.ts";
import { describeSchema, type JsonSchema } from "./json_schema.ts";
import { OverlaySchema } from "./overlay.ts";
import { ConfigSections } from "./sections.ts";
import { StudySchema } from "./study.ts";

// What editors read differs from what validation reads. An editor sees one file, of which bases may give any part; it
// completes and explains from the branch that fits, which it finds by `if`/`then` and not by trying all of a `oneOf`.

const roots = { config: ConfigSections, study: StudySchema, overlay: OverlaySchema } as const;

/** The kinds of YAML file that editors get a schema for. */
export type EditorDocument = keyof typeof roots;

/**
 * The JSON schema (draft 07, which yaml-language-server and most editors read) of one kind of YAML file as it is
 * written: with `_base_` and `_delete_`, with references to environment variables, and without the keys being
 * required that a base may give. It names every component that the registry holds.
 */
export function editorSchema(document: EditorDocument, registry: Registry): JsonSchema {
  const composer = new EditorComposer();
  composer.add(composeSchema(ConfigSections, registry));
  const main = composer.file(plainRoot(document, registry, composer));
  if (document === "overlay") withConfigParts(main, composer);
  return {
    title: `segfuse ${document}`,
    ...main,
    definitions: composer.finished(),
  };
}

function plainRoot(document: EditorDocument, registry: Registry, composer: EditorComposer): JsonSchema {
  const root: TSchema = roots[document];
  const { definitions = {}, ...rest } = composeSchema(root, registry);
  composer.add({ definitions });
  return rest;
}

/** In an overlay, what lies over configs is checked as a part of a config and not as any map. */
function withConfigParts(overlay: JsonSchema, composer: EditorComposer): void {
  const properties = overlay.properties!;
  const part = composer.configPart();
  properties["config"] = { ...part, description: properties["config"]!.description! };
  properties["rows"] = {
    type: "object",
    description: properties["rows"]!.description!,
    additionalProperties: part,
  };
}

/** `_base_` and `_delete_`, which belong to the reading of files and so to no section. */
const inheritance: Record<string, JsonSchema> = {
  [baseKey]: {
    description: "files to inherit from, relative to this one; what stands here goes over them",
    anyOf: [{ type: "string" }, { type: "array", items: { type: "string" }, minItems: 1 }],
  },
  _delete_: { const: true, description: "forget what the bases say of this map" },
};

/** Numbers and switches may come from the environment, whatever their type. */
const reference = "^\\$\\{env:[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}$";

class EditorComposer {
  private readonly sources: Record<string, JsonSchema> = {};
  private readonly definitions: Record<string, JsonSchema> = {};
  private config: JsonSchema | undefined;

  /** Takes in what references may point to. */
  add({ definitions = {}, ...root }: JsonSchema): void {
    Object.assign(this.sources, definitions);
    if (root.properties !== undefined) this.config = root;
  }

  /** A whole file: what `_base_` names may give every key. */
  file(root: JsonSchema): JsonSchema {
    return withKeys(this.convert(root, false), inheritance);
  }

  /** A reference to a config, or a part of one, inside another document. */
  configPart(): JsonSchema {
    const part = this.file(this.config!);
    delete part["$schema"];
    this.definitions["config"] = part;
    return { $ref: "#/definitions/config" };
  }

  /** The definitions that are referred to, by name. */
  finished(): Record<string, JsonSchema> {
    return Object.fromEntries(Object.entries(this.definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** @param whole in a list, which no base fills up: required keys are required there */
  private convert(schema: JsonSchema, whole: boolean): JsonSchema {
    if (schema.$ref !== undefined) return { ...schema, $ref: this.reference(schema.$ref, whole) };
    if (schema.discriminator !== undefined) return this.byType(schema, whole);
    const result = withoutMarks(schema);
    if (schema.anyOf !== undefined) {
      const { anyOf, ...rest } = result;
      return { ...rest, ...this.alternatives(anyOf!, whole) };
    }
    if (schema.items !== undefined) {
      const item = (inner: JsonSchema) => this.convert(inner, true);
      result.items = Array.isArray(schema.items) ? schema.items.map(item) : item(schema.items);
    }
    if (typeof schema.additionalProperties === "object")
      result.additionalProperties = this.convert(schema.additionalProperties, whole);
    if (schema.properties !== undefined) {
      result.properties = Object.fromEntries(
        Object.entries(schema.properties).map(([name, inner]) => [name, this.convert(inner, whole)]),
      );
      delete result.required;
      if (whole) return { ...result, ...requiredOf(schema) };
      return withKeys(result, { _delete_: inheritance["_delete_"]! });
    }
    return fromEnvironment(result);
  }

  private alternatives(branches: readonly JsonSchema[], whole: boolean): JsonSchema {
    // One list of values is completed and complained about as one, which alternatives of constants are not.
    if (branches.every((branch) => branch.const !== undefined))
      return { enum: branches.map((branch) => branch.const) };
    return { anyOf: branches.map((branch) => this.convert(branch, whole)) };
  }

  private reference(target: string, whole: boolean): string {
    const source = target.split("/").at(-1)!;
    const name = whole ? `${source}_item` : source;
    if (!(name in this.definitions)) {
      this.definitions[name] = {}; // in place before its parts are made: a component may hold others of its kind
      this.definitions[name] = this.convert(this.sources[source]!, whole);
    }
    return `#/definitions/${name}`;
  }

  /**
   * Components: the options that depend on `type`. Where a base has the type, any of the kind's options may stand.
   */
  private byType(schema: JsonSchema, whole: boolean): JsonSchema {
    const branches = schema.oneOf ?? [];
    const { type } = schema.properties ?? {};
    const descriptions = branches.map((branch) => branch.description ?? "");
    const converted = branches.map((branch) => this.convert(branch, whole));
    return {
      type: "object",
      ...(whole && type?.default === undefined ? { required: ["type"] } : {}),
      properties: {
        type: { description: `which ${nameOf(schema)}`, ...type, enumDescriptions: descriptions },
      },
      allOf: [
        ...converted.map((branch) => ({
          if: { required: ["type"], properties: { type: { const: branch.title } } },
          then: { ...branch, description: undefined, title: undefined },
        })),
        { if: { not: { required: ["type"] } }, then: untyped(converted) },
      ].map(withoutUndefined),
    };
  }
}

/** The keys that have no default: TypeBox requires the others as well, since they are there once defaults are filled in. */
function requiredOf({ properties = {}, required = [] }: JsonSchema): { required?: string[] } {
  const left = required.filter((name) => name !== "type" && properties[name]?.default === undefined);
  return left.length === 0 ? {} : { required: left };
}

function nameOf(schema: JsonSchema): string {
  return String(schema["x-kind"]).replaceAll("_", " ");
}

/** A component without `type`: each option as some type has it. */
function untyped(branches: readonly JsonSchema[]): JsonSchema {
  const options = new Map<string, Map<string, JsonSchema>>();
  for (const { properties = {} } of branches) {
    for (const [name, option] of Object.entries(properties)) {
      if (name === "type") continue;
      const variants = options.get(name) ?? new Map<string, JsonSchema>();
      // Defaults and words differ between types that mean the same.
      const essence = { ...option };
      delete essence.description;
      delete essence.default;
      const key = JSON.stringify(essence);
      if (!variants.has(key)) variants.set(key, option);
      options.set(name, variants);
    }
  }
  const properties = [...options].map(([name, variants]): [string, JsonSchema] => {
    const list = [...variants.values()];
    return [name, list.length === 1 ? list[0]! : { description: list[0]!.description!, anyOf: list }];
  });
  return { properties: { type: {}, ...Object.fromEntries(properties) }, additionalProperties: false };
}

/** A number or switch, or a reference that becomes one; the complaint names what segfuse takes. */
function fromEnvironment(schema: JsonSchema): JsonSchema {
  const { type } = schema;
  if (type !== "integer" && type !== "number" && type !== "boolean") return schema;
  const message = `${describeSchema(schema)} is expected`;
  return {
    ...schema,
    type: [type, "string"],
    pattern: reference,
    patternErrorMessage: message,
    errorMessage: message,
  };
}

function withKeys(schema: JsonSchema, keys: Record<string, JsonSchema>): JsonSchema {
  return { ...schema, properties: { ...schema.properties, ...keys } };
}

/** Without the keywords that only our validation knows. */
function withoutMarks(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keyword.startsWith("x-")));
}

function withoutUndefined(branch: { if: JsonSchema; then: JsonSchema }): JsonSchema {
  const then = Object.fromEntries(Object.entries(branch.then).filter(([, value]) => value !== undefined));
  return { if: branch.if, then };
}
