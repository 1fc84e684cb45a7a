import { Type, type Static, type TObject, type TUnsafe } from "typebox";

/** A component as a config writes it: its type's name and its options. */
export interface ComponentConfig {
  type: string;
  [option: string]: unknown;
}

/** The custom keywords that segfuse's schemas carry beside JSON Schema's own. */
export const schemaKeywords = {
  /** The kind of a component slot; the composer replaces the node by a reference to the union over that kind's records. */
  component: "x-component",
  /** Options that every type in the slot has, whatever its record says; a record's own option of that name wins. */
  common: "x-common",
  /** On a text that names a component: its kind. The composer adds the names of that kind's records. */
  names: "x-names",
  /** As `names`, but any other text is valid as well: plug-ins that are not known yet may have it. */
  suggested: "x-suggested-names",
  /** True on a string that is a path: it is resolved against the file that wrote it. */
  path: "x-path",
} as const;

/**
 * A slot for any registered component of a kind, for use inside a section's or another component's schema.
 *
 * `common` are options that belong to the slot and not to the component (the learning rate beside an
 * optimiser's own options). They reach `create` like every other option.
 */
export function componentRef(kind: string): TUnsafe<ComponentConfig>;
export function componentRef<S extends TObject>(
  kind: string,
  options: { common?: S; default?: unknown; description?: string },
): TUnsafe<ComponentConfig & Static<S>>;
export function componentRef(
  kind: string,
  options: { common?: TObject; default?: unknown; description?: string } = {},
): TUnsafe<ComponentConfig> {
  const { common, ...rest } = options;
  return Type.Unsafe<ComponentConfig>({
    [schemaKeywords.component]: kind,
    ...(common === undefined ? {} : { [schemaKeywords.common]: common }),
    ...rest,
  });
}

/** The kind of the components that an option takes; null where it is no slot of one. */
export function slotKind(option: object | undefined): string | null {
  const kind = (option as Record<string, unknown> | undefined)?.[schemaKeywords.component];
  return typeof kind === "string" ? kind : null;
}

/**
 * The name of a registered component of a kind, without options: `checkpoint.best: mIoU`.
 *
 * @param options `also`: names that are valid beside those of the records
 */
export function componentName(
  kind: string,
  options: { also?: readonly string[]; default?: string; description?: string } = {},
): TUnsafe<string> {
  const { also = [], ...rest } = options;
  // JSON schemas have no empty enum; the composer adds the records' names.
  const others = also.length === 0 ? {} : { enum: [...also] };
  return Type.Unsafe<string>({ type: "string", [schemaKeywords.names]: kind, ...others, ...rest });
}

/** A component that an option names, and where in the options. */
export interface NamedComponent {
  readonly name: string;
  readonly path: readonly (string | number)[];
}

/**
 * The components of a kind that options name, by what their schema says (`componentName`): an option may hold a name, a
 * list of names or a map with some.
 *
 * @param options valid by the schema
 */
export function namedComponents(
  schema: unknown,
  options: unknown,
  kind: string,
  path: NamedComponent["path"] = [],
): NamedComponent[] {
  const node = (schema ?? {}) as {
    readonly [schemaKeywords.names]?: string;
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly items?: unknown;
    readonly anyOf?: readonly unknown[];
  };
  if (node[schemaKeywords.names] === kind)
    return typeof options === "string" ? [{ name: options, path }] : [];
  const inner = (part: unknown, key: string | number) =>
    namedComponents(part, (options as Record<string | number, unknown>)[key], kind, [...path, key]);
  const branches = (node.anyOf ?? []).flatMap((branch) => namedComponents(branch, options, kind, path));
  if (Array.isArray(options))
    return [
      ...branches,
      ...options.flatMap((_, i) => inner(Array.isArray(node.items) ? node.items[i] : node.items, i)),
    ];
  if (typeof options !== "object" || options === null) return branches;
  return [...branches, ...Object.entries(node.properties ?? {}).flatMap(([key, part]) => inner(part, key))];
}

/**
 * A file or folder. In the loaded config it is absolute: relative to the file that wrote it, or to the
 * working folder where `--set` or an environment variable gave it.
 */
export function pathOption(options: { description: string; default?: string }) {
  return Type.String({ ...options, minLength: 1, [schemaKeywords.path]: true });
}
