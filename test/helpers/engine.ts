import { openEngine, type Engine, type EngineType } from "../../src/engine/engine.ts";

/**
 * The engine that a test computes with: the native one unless another is named. `npm test` has set it up.
 *
 * ```ts
 * beforeAll(() => useEngine());
 * ```
 */
export function useEngine(type: EngineType = "tensorflow"): Promise<Engine> {
  return openEngine({ type, threads: null });
}
