import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bindingCandidates } from "../../src/engine/locate.ts";
import type { SetupResult } from "../../src/engine/setup/setup.ts";
import { findPython } from "../../src/engine/setup/tools.ts";
import { program } from "../helpers/built.ts";
import { makeWheel } from "../helpers/wheel.ts";

/** A TensorFlow to compile against: the one that `npm test` has set up. */
const tensorflow = bindingCandidates().find(
  ({ exists, tensorflow }) => exists && tensorflow !== null,
)?.tensorflow;
const python = await findPython().catch(() => null);

const temporary = mkdtempSync(join(os.tmpdir(), "segfuse-setup-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(temporary, "cache-"));
});

/** No package index, and nothing of this machine's pip settings. */
const noIndex = {
  PIP_CONFIG_FILE: "/dev/null",
  PIP_FIND_LINKS: temporary,
  PIP_EXTRA_INDEX_URL: "",
  PIP_RETRIES: "0",
};

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

function startSetup(env: NodeJS.ProcessEnv): { child: ChildProcess; ended: Promise<Ended> } {
  const [node, module] = program("test/helpers/setup_child.ts");
  const child = spawn(node, [module], {
    env: { ...process.env, SEGFUSE_TENSORFLOW: "", CXX: "", SEGFUSE_CACHE: cache, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((settle) => {
    child.on("close", (code, signal) => settle({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** The report of a set-up that fails, with this machine's paths taken out. */
async function failSetup(env: NodeJS.ProcessEnv): Promise<string> {
  const { code, stderr } = await startSetup(env).ended;
  expect(code).toBe(1);
  return stderr
    .slice(stderr.indexOf("SEGFUSE_"))
    .replaceAll(cache, "CACHE")
    .replaceAll(temporary, "TEMPORARY");
}

/** A folder for PATH with the programs that are named, and with scripts. */
function programs(names: Record<string, string>): string {
  const folder = mkdtempSync(join(temporary, "path-"));
  for (const [name, script] of Object.entries(names)) writeScript(join(folder, name), script);
  return folder;
}

function writeScript(file: string, script: string): string {
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

describe("what is missing is named, and nothing is left behind", () => {
  it("no compiler", async () => {
    expect(await failSetup({ PATH: programs({}) })).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_COMPILER: there is no C++ compiler (looked for $CXX, g++, c++, clang++)
        try: install one: \`apt install g++\`, \`dnf install gcc-c++\`; or compute without the native engine: \`--set engine.type=wasm\`"
    `);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("a compiler in CXX that is not there", async () => {
    expect(await failSetup({ CXX: "no-such-compiler -O1" })).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_COMPILER: the compiler that CXX names is not there: no-such-compiler
        try: set CXX to a C++17 compiler, or unset it. install one: \`apt install g++\`, \`dnf install gcc-c++\`"
    `);
  });

  it("no pip", async () => {
    const PATH = programs({ "g++": "exit 0" });
    expect(await failSetup({ PATH })).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_PIP: there is no working pip (looked for python3 -m pip, python -m pip, pip3, pip)
        found: no Python
        try: install it: \`apt install python3-pip\`, \`dnf install python3-pip\`; or set SEGFUSE_TENSORFLOW to the folder of an installed Python tensorflow; or compute without the native engine: \`--set engine.type=wasm\`"
    `);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("Python without pip", async () => {
    const PATH = programs({ "g++": "exit 0", python3: "echo No module named pip >&2; exit 1" });
    expect(await failSetup({ PATH })).toContain("found: Python without pip: TEMPORARY/path-");
  });

  it("SEGFUSE_TENSORFLOW that names no TensorFlow", async () => {
    expect(await failSetup({ SEGFUSE_TENSORFLOW: cache })).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_TENSORFLOW: SEGFUSE_TENSORFLOW does not name a TensorFlow
        at: CACHE
        expected: libtensorflow_cc.so.2, libtensorflow_framework.so.2, include/
        found: no libtensorflow_cc.so.2, no libtensorflow_framework.so.2, no include/tensorflow/c/c_api.h
        try: name the package folder of a Python tensorflow 2.x: \`python3 -c "import importlib.util as u; print(u.find_spec('tensorflow').submodule_search_locations[0])"\`; or unset it, to download one"
    `);
  });

  it("a cache folder that cannot be made", async () => {
    const file = join(cache, "file");
    writeFileSync(file, "");
    expect(await failSetup({ SEGFUSE_CACHE: join(file, "cache") })).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_CACHE: the cache folder cannot be written
        at: CACHE/file/cache
        found: ENOTDIR: not a directory, stat 'CACHE/file/cache'
        try: set SEGFUSE_CACHE to another folder"
    `);
  });
});

describe.skipIf(python === null)("a download that fails", () => {
  it("no network", async () => {
    // Nothing listens on the discard port.
    const report = await failSetup({ ...noIndex, PIP_INDEX_URL: "http://127.0.0.1:9/simple" });
    expect(report).toMatch(/^SEGFUSE_SETUP_NETWORK: TensorFlow could not be downloaded: no connection\n/);
    expect(report).toContain("PIP_INDEX_URL");
    expect(report).toContain("SEGFUSE_TENSORFLOW");
    expect(report).toContain("engine.type=wasm");
    expect(readdirSync(cache)).toEqual([]);
  });

  it("a wheel of the wrong hash", async () => {
    const links = mkdtempSync(join(temporary, "links-"));
    const { sha256 } = makeWheel(links);
    const report = await failSetup({ ...noIndex, PIP_NO_INDEX: "1", PIP_FIND_LINKS: links });
    expect(report.replace(sha256, "HASH")).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_HASH: the downloaded wheel is not the pinned one; it was thrown away
        expected: sha256 dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb
        found: sha256 HASH
        try: run \`segfuse setup\` again, as a download may have broken off; if it stays so, look at \`pip config list\`"
    `);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("an index without the wheel", async () => {
    const report = await failSetup({ ...noIndex, PIP_NO_INDEX: "1" });
    expect(report).toMatch(/^SEGFUSE_SETUP_DOWNLOAD: pip did not download TensorFlow\n/);
    expect(report).toContain("No matching distribution found for tensorflow-cpu==2.21.0");
  });

  it("a connection that breaks off, and a kill in the middle of the download", async () => {
    const links = mkdtempSync(join(temporary, "links-"));
    const { name, bytes } = makeWheel(links);
    let isSlow = false;
    const server = createServer((request, response) => {
      if (!request.url?.endsWith(".whl")) {
        response.setHeader("content-type", "text/html").end(`<!DOCTYPE html><a href="/${name}">${name}</a>`);
        return;
      }
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, bytes.length / 2), () => isSlow || response.destroy());
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    const env = { ...noIndex, PIP_INDEX_URL: `http://127.0.0.1:${port}/simple` };

    // Which of the two depends on pip: an old one takes half a file for a whole one.
    expect(await failSetup(env)).toMatch(/^SEGFUSE_SETUP_(NETWORK|HASH): /);
    expect(readdirSync(cache)).toEqual([]);

    isSlow = true;
    const killed = startSetup(env);
    const asked = new Promise((asked) => server.on("request", asked));
    await asked;
    await sleep(300);
    killed.child.kill("SIGTERM");
    expect((await killed.ended).signal).toBe("SIGTERM");
    expect(readdirSync(cache)).toEqual([]);
    server.closeAllConnections();
    server.close();
  });
});

describe.skipIf(tensorflow == null)("compiling against a TensorFlow that is there", () => {
  const named = { SEGFUSE_TENSORFLOW: tensorflow ?? "" };
  let slow: string;
  beforeAll(() => {
    const folder = mkdtempSync(join(temporary, "slow-"));
    slow = writeScript(join(folder, "c++"), `touch "$SEGFUSE_CACHE/compiling"; exec sleep 60`);
  });

  it("a compiler that fails", async () => {
    const folder = programs({ "c++": "echo 'fatal error: no such header' >&2; exit 1" });
    const report = await failSetup({ ...named, CXX: join(folder, "c++") });
    expect(report.replace(/make \w+\.node/, "make FILE").replace(/path-\w+/, "PATH")).toMatchInlineSnapshot(`
      "SEGFUSE_SETUP_COMPILE: the compiler could not make FILE
        at: TEMPORARY/PATH/c++
        found: fatal error: no such header
        try: a C++17 compiler with its standard library is needed (g++ 8, clang 7 or newer): \`apt install g++\`, or set CXX"
    `);
    expect(readdirSync(cache)).toEqual([]);
  });

  it("killed half-way; then two at once make one engine, which loads", async () => {
    const first = startSetup({ ...named, CXX: slow });
    while (!existsSync(join(cache, "compiling"))) await sleep(20);
    first.child.kill("SIGKILL");
    await first.ended;
    expect(
      readdirSync(cache)
        .map((name) => name.replace(/[\w]+-\d+-\w+$/, "X"))
        .sort(),
    ).toEqual([".tmp-X", "compiling", "setup.lock"]);
    rmSync(join(cache, "compiling"));

    const both = await Promise.all([startSetup(named).ended, startSetup(named).ended]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const results = both.map(({ stdout }) => JSON.parse(stdout) as SetupResult);
    expect(results.map(({ made }) => made).sort()).toEqual([false, true]);
    expect(results[0]?.addon).toBe(results[1]?.addon);
    expect(readdirSync(cache)).toHaveLength(1);

    const started = performance.now();
    const third = await startSetup({ ...named, PATH: programs({}) }).ended;
    expect(JSON.parse(third.stdout)).toMatchObject({ source: "named", made: false });
    expect(third.stderr).toBe("");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("interrupted, it cleans up and ends as a signal ends a program", async () => {
    const run = startSetup({ ...named, CXX: slow });
    while (!existsSync(join(cache, "compiling"))) await sleep(20);
    run.child.kill("SIGINT");
    expect((await run.ended).signal).toBe("SIGINT");
    expect(readdirSync(cache)).toEqual(["compiling"]);
  });

  it("an engine that does not load is not kept", async () => {
    const folder = programs({});
    // Without its second library
    mkdirSync(join(folder, "tf"));
    for (const name of ["libtensorflow_cc.so.2", "include"])
      symlinkSync(join(tensorflow ?? "", name), join(folder, "tf", name));
    writeFileSync(join(folder, "tf", "libtensorflow_framework.so.2"), "no library");
    const compiler = writeScript(
      join(folder, "c++"),
      `while [ "$1" != -o ]; do shift; done; echo broken > "$2"`,
    );
    const report = await failSetup({ SEGFUSE_TENSORFLOW: join(folder, "tf"), CXX: compiler });
    expect(report).toMatch(/^SEGFUSE_ENGINE_BROKEN: the new engine does not load\n/);
    expect(report).toContain("file too short");
    expect(readdirSync(cache)).toEqual([]);
  });
});
