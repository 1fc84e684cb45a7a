import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** Long kill, fuzz and soak runs: `npm run test:long`. */
export default mergeConfig(
  base,
  defineConfig({ test: { include: ["test/**/*.long.ts"], testTimeout: 3_600_000, hookTimeout: 600_000 } }),
);
