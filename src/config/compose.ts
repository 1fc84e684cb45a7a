import type { TSchema } from "typebox";
import type { AnyRecord, Kind, Registry } from "../kinds.ts";
import { mapSchema, marks, type JsonSchema } from "./json_schema.ts";

/**
 * The JSON schema of a document whose component slots (`componentRef`) take every registered record of their
 * kind, plug-ins included. Each kind is a definition of its own: a union told apart by `type`.
 */
export function composeSchema(root: TSchema, registry: Registry): JsonSchema {
  const definitions: Record<string, JsonSchema> = {};
  /** Names of the slots of each kind, by what tells them apart. */
  const slots: Partial<Record<Kind, Map<string, string>>> = {};

  const nameOf = (kind: Kind, common: JsonSchema | undefined, usual: string | undefined): string => {
    if (common === undefined && usual === undefined) return kind;
    const names = (slots[kind] ??= new Map<string, string>());
    const key = JSON.stringify([common, usual]);
    const name = names.get(key) ?? `${kind}_slot${names.size === 0 ? "" : `_${names.size + 1}`}`;
    names.set(key, name);
    return name;
  };

  const reference = (slot: JsonSchema): JsonSchema => {
    const kind = slot[marks.component] as Kind;
    const common = slot[marks.common] as JsonSchema | undefined;
    const usual = (slot.default as { type?: string } | undefined)?.type;
    const name = nameOf(kind, common, usual);
    if (!(name in definitions)) {
      definitions[name] = {}; // in place before its parts are made: a component may hold others of its kind
      definitions[name] = union(kind, common, usual);
    }
    const { description, default: fallback } = slot;
    return {
      $ref: `#/definitions/${name}`,
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
    };
  };

  const fill = (schema: JsonSchema): JsonSchema =>
    mapSchema(schema, (inner) => {
      if (inner[marks.component] !== undefined) return reference(inner);
      if (inner[marks.names] !== undefined || inner[marks.suggested] !== undefined) return withNames(inner);
      const closed = inner.properties !== undefined && inner.additionalProperties === undefined;
      return closed ? { ...inner, additionalProperties: false } : inner;
    });

  const withNames = (schema: JsonSchema): JsonSchema => {
    const { [marks.names]: kind, [marks.suggested]: suggested, enum: others = [], ...rest } = schema;
    if (suggested !== undefined) return { ...rest, examples: registry.types(suggested as Kind) };
    return { ...rest, enum: [...registry.types(kind as Kind), ...others] };
  };

  const union = (kind: Kind, common: JsonSchema | undefined, usual: string | undefined): JsonSchema => {
    const records = registry.list(kind) as readonly AnyRecord[];
    const types = records.map((record) => record.type);
    const type: JsonSchema = {
      type: "string",
      ...(types.length === 0 ? {} : { enum: types }),
      ...(usual === undefined ? {} : { default: usual }), // a slot with a default may be written without a type
    };
    return {
      type: "object",
      [marks.kind]: kind,
      required: ["type"],
      properties: { type },
      ...(records.length === 0
        ? {}
        : {
            discriminator: { propertyName: "type" },
            oneOf: records.map((record) => fill(ofRecord(record, common))),
          }),
    };
  };

  const filled = fill(plain(root));
  return { $schema: "http://json-schema.org/draft-07/schema#", ...filled, definitions };
}

/** A component as it stands in a config: its own options, the slot's common ones where it has none of that name, and `type`. */
function ofRecord(record: AnyRecord, common: JsonSchema | undefined): JsonSchema {
  const own = plain(record.schema);
  const others = common?.properties ?? {};
  const required = [...(own.required ?? []), ...(common?.required ?? [])];
  return {
    ...own,
    type: "object",
    title: record.type,
    description: record.description,
    [marks.kind]: record.kind,
    ...(record.moved === undefined ? {} : { [marks.moved]: record.moved }),
    properties: { type: { const: record.type }, ...plainGroup(others), ...own.properties },
    required: ["type", ...new Set(required)],
  };
}

function plainGroup(group: Record<string, JsonSchema>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(group).map(([name, schema]) => [name, plain(schema)]));
}

/** A TypeBox schema without TypeBox's hidden marks. */
function plain(schema: TSchema): JsonSchema {
  return JSON.parse(JSON.stringify(schema)) as JsonSchema;
}

/**
 * The composed schema as ajv applies it. Unions become branches chosen by the value's JSON type: ajv fills
 * defaults in those (never inside `anyOf`), and a wrong value gives the complaint of its own branch and not
 * one of every branch.
 */
export function forValidation(schema: JsonSchema): JsonSchema {
  const definitions = schema.definitions ?? {};
  return mapSchema(schema, (inner) => {
    if (inner.oneOf !== undefined && inner.discriminator !== undefined) {
      // The names are checked by the discriminator, once.
      const type = { ...inner.properties?.["type"] };
      delete type.enum;
      delete type.type;
      return { ...inner, properties: { type } };
    }
    return inner.anyOf === undefined ? inner : branchByType(inner, definitions);
  });
}

function branchByType(schema: JsonSchema, definitions: Record<string, JsonSchema>): JsonSchema {
  const { anyOf, ...rest } = schema;
  const branches = anyOf ?? [];
  if (branches.every((branch) => branch.const !== undefined)) {
    const types = new Set(branches.map((branch) => typeof branch.const));
    return {
      ...rest,
      ...(types.size === 1 ? { type: [...types][0]! } : {}),
      enum: branches.map((b) => b.const),
    };
  }
  const types = branches.map((branch) => typeOf(branch, definitions));
  const distinct = new Set(types.map((type) => (type === "integer" ? "number" : type)));
  if (types.includes(undefined) || distinct.size < branches.length) return schema;
  return {
    ...rest,
    type: types as string[],
    [marks.alternatives]: branches,
    allOf: branches.map((branch, index) => ({
      if: { type: types[index]! },
      then: { ...branch, [marks.alternatives]: branches },
    })),
  };
}

function typeOf(schema: JsonSchema, definitions: Record<string, JsonSchema>): string | undefined {
  if (schema.$ref !== undefined)
    return definitions[schema.$ref.split("/").at(-1)!]?.type as string | undefined;
  if (typeof schema.type === "string") return schema.type;
  if (schema.const !== undefined) return typeof schema.const;
  const types = new Set(schema.enum?.map((value) => typeof value));
  return types.size === 1 ? [...types][0] : undefined;
}
