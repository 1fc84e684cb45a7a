import type { TObject } from "typebox";
import type { BackboneRecord } from "../../../src/models/backbones/contracts.ts";

/** Options with the defaults that the record's schema states, as the config's validation fills them in. */
export function withDefaults(record: BackboneRecord, options: Record<string, unknown> = {}) {
  const properties = record.schema.properties as Record<string, TObject & { default?: unknown }>;
  const defaults = Object.entries(properties).map(([name, property]) => [name, property.default]);
  return { ...Object.fromEntries(defaults), ...options } as Record<string, never>;
}
