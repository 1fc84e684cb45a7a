import { schemaKeywords } from "../registry/component_ref.ts";

/** A JSON schema (draft 07) as plain data. */
export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema | JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  if?: JsonSchema;
  then?: JsonSchema;
  $ref?: string;
  definitions?: Record<string, JsonSchema>;
  discriminator?: { propertyName: string };
  [keyword: string]: unknown;
}

/** Marks that the composer leaves for validation and its messages. */
export const marks = {
  ...schemaKeywords,
  /** On a component's own schema: its kind. */
  kind: "x-kind",
  /** On a component's own schema: options of earlier versions, and the option in which each stands now. */
  moved: "x-moved",
  /** Beside branches that were told apart by type: what each of them accepts. */
  alternatives: "x-alternatives",
} as const;

/** A copy of a schema with `change` applied to every subschema, innermost first. */
export function mapSchema(schema: JsonSchema, change: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const map = (inner: JsonSchema) => mapSchema(inner, change);
  const copy: JsonSchema = { ...schema };
  for (const keyword of ["properties", "definitions", "patternProperties"] as const) {
    const group = copy[keyword] as Record<string, JsonSchema> | undefined;
    if (group !== undefined) {
      copy[keyword] = Object.fromEntries(Object.entries(group).map(([name, inner]) => [name, map(inner)]));
    }
  }
  for (const keyword of ["anyOf", "oneOf", "allOf"] as const) {
    if (copy[keyword] !== undefined) copy[keyword] = copy[keyword].map(map);
  }
  if (copy.items !== undefined)
    copy.items = Array.isArray(copy.items) ? copy.items.map(map) : map(copy.items);
  if (typeof copy.additionalProperties === "object")
    copy.additionalProperties = map(copy.additionalProperties);
  return change(copy);
}

/** What a schema accepts, in words: `an integer ≥ 1`, `one of slide, whole`, `a list of 2: …`. */
export function describeSchema(schema: JsonSchema): string {
  const alternatives = (schema[marks.alternatives] ?? schema.anyOf) as JsonSchema[] | undefined;
  if (alternatives !== undefined) return [...new Set(alternatives.map(describeSchema))].join(", or ");
  if (schema.$ref !== undefined)
    return `${withArticle(schema.$ref.split("/").at(-1)!.replace("_slot", ""))} (a map with type)`;
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(", ")}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  switch (String(schema.type)) {
    case "integer":
      return `an integer${range(schema)}`;
    case "number":
      return `a number${range(schema)}`;
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "string":
      return describeString(schema);
    case "array":
      return describeList(schema);
    case "object":
      return describeMap(schema);
    default:
      return schema.description ?? "any value";
  }
}

function describeMap(schema: JsonSchema): string {
  const kind = schema[marks.kind];
  return typeof kind === "string" ? `${withArticle(kind)} (a map with type)` : "a map";
}

/** `a neck`, `an optimizer`. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

function describeString(schema: JsonSchema): string {
  if (schema[marks.path] === true) return "a path";
  const [least, most] = [
    schema["minLength"] as number | undefined,
    schema["maxLength"] as number | undefined,
  ];
  const length = most === undefined ? (least === undefined ? "" : "non-empty ") : "";
  const bound = most === undefined ? "" : ` of ${least ?? 0} to ${most} characters`;
  return `${length}text${bound}${schema.pattern === undefined ? "" : ` that matches ${schema.pattern}`}`;
}

function describeList(schema: JsonSchema): string {
  const { items } = schema;
  const [least, most] = [schema["minItems"] as number | undefined, schema["maxItems"] as number | undefined];
  if (most === 0) return "an empty list";
  if (Array.isArray(items)) {
    const kinds = [...new Set(items.map(describeSchema))];
    return `a list of ${items.length}: ${kinds.length === 1 ? `each ${kinds[0]}` : items.map(describeSchema).join("; ")}`;
  }
  const count =
    most !== undefined && most !== least
      ? ` of ${least ?? 0} to ${most}`
      : least === undefined
        ? ""
        : least === most
          ? ` of ${least}`
          : ` of ${least} or more`;
  return items === undefined || Object.keys(items).length === 0
    ? `a list${count}`
    : `a list${count}: each ${describeSchema(items)}`;
}

function range(schema: JsonSchema): string {
  const bounds = [
    ["minimum", "≥"],
    ["exclusiveMinimum", ">"],
    ["maximum", "≤"],
    ["exclusiveMaximum", "<"],
  ] as const;
  const parts = bounds
    .filter(([key]) => schema[key] !== undefined)
    .map(([key, sign]) => `${sign} ${String(schema[key])}`);
  return parts.length === 0 ? "" : ` ${parts.join(" and ")}`;
}
