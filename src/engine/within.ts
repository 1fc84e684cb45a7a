import * as tf from "@tensorflow/tfjs";
import { inPart } from "./operation_error.ts";

/** An operation that was recorded for the backward pass, and whose it is. */
interface Recorded {
  part?: string;
}

/**
 * Runs a part of a network so that an operation in it that the engine refuses is told with the part's name, in the
 * backward pass too: what `f` records knows where it comes from. Parts may contain parts: the innermost is told.
 *
 * @param part where a reader finds it in the config: `model.neck`
 */
export function within<T>(part: string, f: () => T): T {
  const tape = tf.engine().state.activeTape as unknown as Recorded[] | null | undefined;
  const from = tape?.length ?? 0;
  try {
    return f();
  } catch (error) {
    throw inPart(error, part);
  } finally {
    for (const node of tape?.slice(from) ?? []) node.part ??= part;
  }
}
