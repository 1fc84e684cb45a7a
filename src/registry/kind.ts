import type { Contract } from "./guard/contract.ts";
import type { RecordBase } from "./record.ts";

/** Records by kind: what a registry is generic over. */
export type Records<R> = { readonly [K in keyof R]: RecordBase };

/** What a registry must know of a kind. */
export interface KindInfo {
  /** What a plug-in's components must give; null: what uses them checks it. */
  readonly contract: Contract | null;
  /** What is wrong with a plug-in's record, beside what all records have; null: nothing. Default: nothing. */
  readonly problem?: (record: Readonly<Record<string, unknown>>) => string | null;
}

/** The kinds that there are. */
export type KindTable<R> = { readonly [K in keyof R]: KindInfo };
