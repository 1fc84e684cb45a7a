import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/engine.ts";
import { cacheFolder } from "../../src/engine/locate.ts";
import { ensureEngine } from "../../src/engine/setup/ensure.ts";
import { whyUnsupported } from "../../src/engine/setup/platform.ts";
import { assertSpace } from "../../src/engine/setup/files.ts";
import { silentLogger } from "../../src/util/logger.ts";
import { program } from "../helpers/built.ts";

/** Opens the native engine in a process of its own. */
async function openInChild(
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ stdout: string; stderr: string }> {
  const [node, child] = program("test/helpers/engine_child.ts");
  return promisify(execFile)(node, [child, ...args], { env: { ...process.env, ...env } });
}

/** Without what vitest or the user may have set. */
const unset = {
  TF_CPP_MIN_LOG_LEVEL: undefined,
  TF_NUM_INTRAOP_THREADS: undefined,
  TF_NUM_INTEROP_THREADS: undefined,
};

describe("openEngine", () => {
  it.each(["tensorflow", "wasm", "cpu"] as const)("computes with %s", async (type) => {
    const engine = await openEngine({ type, threads: null });
    expect(engine).toMatchObject({
      backend: type,
      threads: null,
      device: expect.stringMatching(/^(CPU|GPU)/) as string,
    });
    expect(engine.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(tf.getBackend()).toBe(type);
    const y = tf.conv2d(tf.ones<tf.Rank.R4>([1, 8, 8, 2]), tf.ones<tf.Rank.R4>([3, 3, 2, 1]), 1, "valid");
    expect(y.sum().dataSync()[0]).toBe(6 * 6 * 18);
  });

  it("takes the native engine by itself where it is set up", async () => {
    expect((await openEngine({ type: "auto", threads: null })).backend).toBe("tensorflow");
  });

  it("keeps TensorFlow's banners off standard error, unless the user wants them", async () => {
    const quiet = await openInChild(unset);
    expect(quiet.stderr).toBe("");
    expect(JSON.parse(quiet.stdout)).toMatchObject({ backend: "tensorflow", sum: 648 });
    expect((await openInChild({ ...unset, TF_CPP_MIN_LOG_LEVEL: "0" })).stderr).toContain(
      "oneDNN custom operations",
    );
  });

  it("computes with as many threads as it is told", async () => {
    const threads = async (n: string) =>
      (JSON.parse((await openInChild(unset, n)).stdout) as { threads: number }).threads;
    expect((await threads("5")) - (await threads("1"))).toBeGreaterThanOrEqual(4);
  });
});

describe("without a native engine", () => {
  it("ends with what to do", async () => {
    const failure = openInChild({ SEGFUSE_CACHE: "/nowhere", SEGFUSE_TENSORFLOW: "" });
    await expect(failure).rejects.toMatchObject({
      stderr: expect.stringContaining("SEGFUSE_ENGINE_MISSING") as string,
    });
    await expect(failure).rejects.toMatchObject({
      stderr: expect.stringContaining("`segfuse setup` makes it") as string,
    });
  });
});

it("ensureEngine takes no time where the engine is there", async () => {
  const start = performance.now();
  await ensureEngine(silentLogger);
  expect(performance.now() - start).toBeLessThan(200);
});

it.each([
  [{ SEGFUSE_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
  [{ XDG_CACHE_HOME: "/b" }, "/b/segfuse"],
  [{ XDG_CACHE_HOME: "relative" }, expect.stringMatching(/\/\.cache\/segfuse$/)],
  [{}, expect.stringMatching(/\/\.cache\/segfuse$/)],
])("cache folder of %o", (env, folder) => {
  expect(cacheFolder(env)).toEqual(folder);
});

it.each([
  ["linux", "x64", "2.36", null],
  ["linux", "x64", "2.27", null],
  ["linux", "x64", "2.17", "linux x64 with glibc 2.17"],
  ["linux", "x64", null, "linux x64 without the GNU C library"],
  ["linux", "arm64", "2.36", "linux arm64"],
  ["darwin", "arm64", null, "darwin arm64"],
])("a TensorFlow to download for %s %s glibc %s", (platform, arch, glibc, reason) => {
  expect(whyUnsupported({ platform, arch, glibc })).toBe(reason);
});

it("says how much space is missing", () => {
  expect(() => assertSpace("/", 1e18)).toThrow(
    expect.objectContaining({
      code: "SEGFUSE_SETUP_DISK",
      details: expect.objectContaining({ expected: "1000000000.0 GB free" }) as unknown,
    }) as Error,
  );
});
