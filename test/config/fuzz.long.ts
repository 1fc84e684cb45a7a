import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { FuzzResult } from "./fuzz/run.ts";

const tsx = new URL("../../node_modules/tsx/dist/loader.mjs", import.meta.url).href;
const child = fileURLToPath(new URL("fuzz/child.ts", import.meta.url));

// Each part in a process of its own, so that its peak of memory can be told. A hang ends at the time limit.
it.each([0, 1, 2, 3])(
  "20,000 mutated configs are refused with a code, or build (part %i of 4)",
  async (part) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", tsx, child, String(5000 * part), String(5000 * (part + 1))],
      { maxBuffer: 2 ** 26, timeout: 1_800_000 },
    );
    const { count, yaml, valid, networks, codes, failures, memory } = JSON.parse(stdout) as FuzzResult;
    console.log(
      `${count} mutants, ${yaml} are YAML, ${valid} valid, ${networks} networks, ${Math.round(memory)} MiB`,
    );
    console.log(Object.entries(codes).sort((a, b) => b[1] - a[1]));
    expect(failures).toEqual([]);
    expect(yaml).toBeGreaterThan(count / 2);
    expect(networks).toBeGreaterThan(100);
    expect(memory).toBeLessThan(500);
  },
);
