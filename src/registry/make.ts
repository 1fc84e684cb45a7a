import Value from "typebox/value";
import type { ComponentConfig } from "./component_ref.ts";
import type { Records } from "./kind.ts";
import type { RecordBase } from "./record.ts";

/** Where components come from: a registry, or anything that finds a record by its kind and type. */
export interface Lookup<R extends Records<R>> {
  /** @throws SegfuseError `SEGFUSE_UNKNOWN_COMPONENT` */
  get<K extends keyof R & string>(kind: K, type: string): R[K];
}

/** What `create` of a record takes behind the options. */
export type InputsOf<T> = T extends { create(options: never, ...inputs: infer I): unknown } ? I : never;
/** What `create` of a record gives. */
export type MadeBy<T> = T extends { create(options: never, ...inputs: never[]): infer M } ? M : never;

/**
 * Makes the component that a slot of a config names. (Data workers make data sets and transforms without this: they do
 * not load TypeBox, and resolved configs have every default.)
 *
 * @param slot its type and its options; those that are left out have their defaults
 * @param inputs what the kind's components are made with beside their options
 * @throws SegfuseError `SEGFUSE_UNKNOWN_COMPONENT`, and what the record's `create` throws; a plug-in's names its file
 */
export function makeComponent<R extends Records<R>, K extends keyof R & string>(
  components: Lookup<R>,
  kind: K,
  slot: ComponentConfig,
  ...inputs: InputsOf<R[K]>
): MadeBy<R[K]> {
  const record = components.get(kind, slot.type) as unknown as Maker<MadeBy<R[K]>>;
  return record.create(optionsOf(record, slot), ...inputs);
}

interface Maker<Made> extends RecordBase {
  create(options: object, ...inputs: readonly unknown[]): Made;
}

/** A slot's options as a record's functions take them: with their defaults, without `type`. */
export function optionsOf(record: RecordBase, slot: ComponentConfig): Record<string, unknown> {
  const options = Value.Default(record.schema, structuredClone(slot)) as Partial<ComponentConfig>;
  delete options.type;
  return options;
}
