import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import SlowFirst from "./test/helpers/sequencer.ts";

export default defineConfig({
  // As plug-ins import it.
  resolve: { alias: { segfuse: fileURLToPath(new URL("src/index.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    // One process a file: TensorFlow's native library keeps threads and state of its own.
    pool: "forks",
    globalSetup: "test/helpers/build.ts",
    // Threads that tests start in their own process start from there too.
    env: { SEGFUSE_BUILT: new URL(".built/", import.meta.url).href },
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
