import { beforeAll, describe } from "vitest";
import type { EngineType } from "../../../src/engine/engine.ts";
import { useEngine } from "../../helpers/engine.ts";
import { compareWithPyTorch } from "./cases.ts";

const engines: EngineType[] = ["tensorflow", "wasm", "cpu"];

describe.each(engines)("operations on %s against PyTorch", (engine) => {
  beforeAll(() => useEngine(engine));
  compareWithPyTorch();
});
