import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../../registry/record.ts";

/** Another tool's names of weights against segfuse's. */
export interface NameMap {
  /**
   * Their name → ours.
   *
   * @returns null for a weight that is known and has no place here, undefined for a name that the map does not know
   */
  toOurs(name: string): string | null | undefined;
  /** Our name → theirs; null and undefined as in {@link toOurs}. */
  toTheirs(name: string): string | null | undefined;
}

export interface NameMapRecord<S extends TObject = TObject> extends RecordBase<"name_map", S> {
  create(options: Static<S>): NameMap;
}

export const defineNameMap = <S extends TObject>(d: Definition<NameMapRecord<S>>): NameMapRecord =>
  defineRecord("name_map", d);
