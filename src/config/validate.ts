import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { TSchema } from "typebox";
import type { Kind, Registry } from "../kinds.ts";
import type { ErrorCode } from "../errors.ts";
import { distinct, nearestName, shorten, showValue, type Complaint } from "./complaint.ts";
import { composeSchema, forValidation } from "./compose.ts";
import { describeSchema, marks, withArticle, type JsonSchema } from "./json_schema.ts";
import { keyOriginAt, nodeAt, originAt, pathText, toData, type MapNode, type Path } from "./tree.ts";

export interface Validated {
  /** The document with every default filled in. */
  data: unknown;
  complaints: Complaint[];
  /** Places of all values that are paths of files (`pathOption`). */
  paths: Path[];
  /** Places of all components. */
  components: ComponentPlace[];
}

export interface ComponentPlace {
  readonly kind: Kind;
  readonly path: Path;
}

/** Checks documents of one schema against the components that a registry holds at the time. */
export class Validator {
  /** The validator of a schema and a registry; compiled schemas are shared by all configs of a registry. */
  static of(root: TSchema, registry: Registry): Validator {
    return registry.derive(root, () => new Validator(root, registry));
  }

  private compiled: { components: number; check: ValidateFunction } | undefined;

  private constructor(
    private readonly root: TSchema,
    private readonly registry: Registry,
  ) {}

  /** Checks a document and fills in defaults. Everything that is wrong is in `complaints`. */
  validate(tree: MapNode, prepare: (data: Record<string, unknown>) => void = () => {}): Validated {
    const data = toData(tree) as Record<string, unknown>;
    prepare(data);
    const paths: Path[] = [];
    const check = this.check();
    const components = new Map<string, ComponentPlace>();
    const valid: unknown = check.call({ paths, components } satisfies Collected, data);
    const complaints = valid === true ? [] : complaintsOf(check.errors ?? [], tree, data);
    return { data, complaints, paths, components: [...components.values()] };
  }

  private check(): ValidateFunction {
    const components = this.registry.size;
    if (this.compiled?.components !== components) {
      const schema = forValidation(composeSchema(this.root, this.registry));
      this.compiled = { components, check: makeAjv().compile(schema) };
    }
    return this.compiled.check;
  }
}

/** What the custom keywords note while ajv walks through a document. */
interface Collected {
  readonly paths: Path[];
  readonly components: Map<string, ComponentPlace>;
}

function makeAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    discriminator: true,
    passContext: true,
    strict: true,
    useDefaults: true,
    verbose: true,
  });
  ajv.addVocabulary([marks.alternatives, marks.moved]);
  ajv.addKeyword({
    keyword: marks.kind,
    type: "object",
    errors: false,
    validate(this: Collected, kind: Kind, _data: object, _schema: unknown, at?: { instancePath: string }) {
      const { instancePath } = at!;
      this.components.set(instancePath, { kind, path: pathOf(instancePath) });
      return true;
    },
  });
  ajv.addKeyword({
    keyword: marks.path,
    type: "string",
    errors: false,
    validate(this: Collected, _on: unknown, _data: string, _schema: unknown, at?: { instancePath: string }) {
      this.paths.push(pathOf(at!.instancePath));
      return true;
    },
  });
  return ajv;
}

/** A JSON pointer as a path; list indices are numbers. */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^(0|[1-9]\d*)$/.test(part) ? Number(part) : part));
}

/** A list of thousands of wrong values is one mistake; nobody reads further. */
const mostErrors = 1000;

/** Keywords that only say that a part of theirs failed, which that part has said itself. */
const wrappers = new Set(["if", "allOf", "oneOf"]);

function complaintsOf(errors: readonly ErrorObject[], tree: MapNode, data: unknown): Complaint[] {
  // Branches that could not be told apart by type: one complaint for all that their parts say.
  const unions = errors
    .slice(0, mostErrors)
    .filter((error) => error.keyword === "anyOf")
    .map((error) => error.instancePath);
  const inUnion = (error: ErrorObject) =>
    error.keyword !== "anyOf" && unions.some((path) => `${error.instancePath}/`.startsWith(`${path}/`));
  const unknown = new Set(errors.slice(0, mostErrors).map((error) => pathText(unknownPath(error) ?? [])));
  const elsewhere = (key: string) => placesOf(key, data).filter((path) => !unknown.has(path));
  const complaints = errors
    .slice(0, mostErrors)
    .filter((error) => !wrappers.has(error.keyword) && !inUnion(error))
    .map((error) => complaintOf(error, tree, data, elsewhere))
    .filter((complaint) => complaint !== null);
  return distinct(complaints).sort(inReadingOrder);
}

/** By file, then from top to bottom; what stands in no file stays in its order. */
export function inReadingOrder(a: Complaint, b: Complaint): number {
  if (a.origin?.line == null && b.origin?.line == null) return 0;
  const source = (a.origin?.source ?? "").localeCompare(b.origin?.source ?? "");
  return (
    source ||
    (a.origin?.line ?? 0) - (b.origin?.line ?? 0) ||
    (a.origin?.column ?? 0) - (b.origin?.column ?? 0)
  );
}

function unknownPath(error: ErrorObject): Path | null {
  if (error.keyword !== "additionalProperties") return null;
  return [...pathOf(error.instancePath), error.params["additionalProperty"] as string];
}

/** Where a document has a key, defaults included; lists of components are not searched. */
function placesOf(key: string, data: unknown, path: Path = []): string[] {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return [];
  return Object.entries(data).flatMap(([name, value]) => [
    ...(name === key ? [pathText([...path, name])] : []),
    ...placesOf(key, value, [...path, name]),
  ]);
}

function complaintOf(
  error: ErrorObject,
  tree: MapNode,
  data: unknown,
  elsewhere: (key: string) => string[],
): Complaint | null {
  const path = pathOf(error.instancePath);
  const schema = (error.parentSchema ?? {}) as JsonSchema;
  switch (error.keyword) {
    case "additionalProperties":
      return unknownKey(unknownPath(error)!, schema, tree, elsewhere);
    case "required":
      return missingKey([...path, error.params["missingProperty"] as string], schema, tree, data);
    case "discriminator":
      return unknownType(error, [...path, "type"], schema, tree);
    default:
      return {
        ...mistake(error.keyword, nameOf(path)),
        origin: originAt(tree, path),
        path,
        ...expectation(schema, error.data),
        found: showValue(error.data),
      };
  }
}

/** What kind of mistake a keyword of JSON Schema finds. */
function mistake(keyword: string, name: string): { code: ErrorCode; message: string } {
  switch (keyword) {
    case "type":
      return { code: "SEGFUSE_CONFIG_TYPE", message: `${name} has a value of the wrong type` };
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
    case "multipleOf":
      return { code: "SEGFUSE_CONFIG_RANGE", message: `${name} is out of range` };
    case "enum":
    case "const":
      return { code: "SEGFUSE_CONFIG_CHOICE", message: `${name} is none of its choices` };
    case "minItems":
    case "maxItems":
    case "minLength":
    case "maxLength":
    case "minProperties":
    case "maxProperties":
      return { code: "SEGFUSE_CONFIG_LENGTH", message: `${name} is too short or too long` };
    case "pattern":
    case "format":
      return { code: "SEGFUSE_CONFIG_PATTERN", message: `${name} is not written as it must be` };
    case "uniqueItems":
      return { code: "SEGFUSE_CONFIG_REPEATED", message: `${name} names something twice` };
    default:
      return { code: "SEGFUSE_CONFIG_VALUE", message: `${name} has a value that it cannot have` };
  }
}

function nameOf(path: Path): string {
  const last = path.findLast((key) => typeof key === "string");
  return last === undefined ? "the file" : `'${shorten(last)}'`;
}

/** What a value should have been: the valid names where there is a list of them, else in words. */
function expectation(schema: JsonSchema, found: unknown): Pick<Complaint, "expected" | "nearest" | "valid"> {
  const valid = schema.enum?.filter((value) => typeof value === "string") ?? [];
  if (valid.length === 0) return { expected: describeSchema(schema) };
  const nearest = typeof found === "string" ? nearestName(found, valid) : {};
  return schema[marks.alternatives] === undefined
    ? { ...nearest, valid }
    : { expected: describeSchema(schema), ...nearest, valid };
}

/** More places than these are no hint. */
const mostPlaces = 2;

function unknownKey(
  path: Path,
  schema: JsonSchema,
  tree: MapNode,
  elsewhere: (key: string) => string[],
): Complaint {
  const key = String(path.at(-1));
  const valid = Object.keys(schema.properties ?? {});
  const places = elsewhere(key);
  const moved = (schema[marks.moved] as Record<string, string> | undefined) ?? {};
  const near = nearestName(key, [...valid, ...Object.keys(moved)]);
  // A slip in writing a key that stands elsewhere now is both.
  const meant = moved[key] === undefined ? near.nearest : key;
  const [, tight, value] = /^([\w.-]+):(.+)$/.exec(key) ?? [];
  const advice =
    meant !== undefined && moved[meant] !== undefined
      ? `${moved[meant]}: {${meant}: …}, where it stands now`
      : tight !== undefined
        ? `${tight}: ${shorten(value!)}`
        : places.length > 0 && places.length <= mostPlaces
          ? places.join(" or ")
          : undefined;
  const kind = schema[marks.kind];
  const holder = typeof kind === "string" ? `the ${kind} '${schema.title}'` : placeOf(path.slice(0, -1));
  return {
    code: "SEGFUSE_CONFIG_UNKNOWN_KEY",
    message: `${holder} has no key '${shorten(key)}'`,
    origin: keyOriginAt(tree, path),
    path,
    ...(advice === undefined ? near : {}),
    valid,
    ...(advice === undefined ? {} : { advice }),
  };
}

function placeOf(path: Path): string {
  return path.length === 0 ? "the file" : `'${pathText(path)}'`;
}

function missingKey(path: Path, schema: JsonSchema, tree: MapNode, data: unknown): Complaint {
  const key = String(path.at(-1));
  const wanted = schema.properties?.[key];
  const holder = path.slice(0, -1);
  const kind = schema[marks.kind];
  const names = kind !== undefined && key === "type" ? componentTypes(schema) : undefined;
  const missingSection = nodeAt(tree, holder) === undefined && data !== undefined;
  return {
    code: "SEGFUSE_CONFIG_MISSING_KEY",
    message: `${placeOf(holder)} lacks the key '${key}'${missingSection ? " (the section is missing)" : ""}`,
    origin: originAt(tree, holder),
    path,
    ...(names === undefined
      ? wanted === undefined
        ? {}
        : { expected: describeSchema(wanted) }
      : { valid: names }),
  };
}

function componentTypes(schema: JsonSchema): string[] {
  return (schema.oneOf ?? []).map((branch) => String(branch.title));
}

function unknownType(error: ErrorObject, path: Path, schema: JsonSchema, tree: MapNode): Complaint | null {
  const found: unknown = error.params["tagValue"];
  if (found === undefined) return null; // `required` says it
  const kind = String(schema[marks.kind]);
  const valid = componentTypes(schema);
  return {
    code: "SEGFUSE_CONFIG_UNKNOWN_TYPE",
    message:
      typeof found === "string"
        ? `there is no ${kind} '${shorten(found)}'`
        : `${withArticle(kind)}'s type is no text`,
    ...(typeof found === "string" ? {} : { found: showValue(found) }),
    origin: originAt(tree, path),
    path,
    ...(typeof found === "string" ? nearestName(found, valid) : {}),
    valid,
  };
}
