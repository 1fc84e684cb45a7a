import type { Neck } from "../necks/contracts.ts";

/** A neck's maps as a head is given them. */
export interface HeadMaps<T> {
  /** Those of the levels, finest first. */
  readonly fused: readonly T[];
  /** The context: what the neck made of it, where that is a map of its own; else as it was, where the neck did not use it. */
  readonly context: T | null;
}

/**
 * Takes the context's map out of what a neck gives: the maps themselves, or what is known of them.
 *
 * @param outputs one for each of the neck's `outputs`
 * @param context as the context module gave it; null: there is none
 */
export function headMaps<T>(neck: Neck, outputs: readonly T[], context: T | null): HeadMaps<T> {
  const { contextOutput } = neck;
  if (contextOutput !== null)
    return { fused: outputs.filter((_, i) => i !== contextOutput), context: outputs[contextOutput]! };
  return { fused: outputs, context: neck.usesContext ? null : context };
}
