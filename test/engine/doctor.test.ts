import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { examine, formatReport, type DoctorReport } from "../../src/engine/doctor.ts";
import { segfuse } from "../helpers/cli.ts";

const broken: DoctorReport = {
  versions: { segfuse: "0.1.0", node: "20.20.2", tfjs: "4.22.0", tfjs_node: "4.22.0" },
  machine: {
    platform: "linux",
    arch: "x64",
    glibc: null,
    cpu: "Some CPU",
    cores: 2,
    flags: ["avx", "avx2", "fma"],
    memory: 8e9,
    free_memory: 7.25e9,
  },
  gpu: { works: false, found: "none (there is no nvidia-smi)", advice: null },
  compiler: { works: false, found: "there is no C++ compiler", advice: "install one: `apk add g++`" },
  pip: { works: true, found: "/usr/bin/python3 -m pip: 25.0", advice: null },
  cache: {
    folder: "/cache",
    free: 1e9,
    works: false,
    found: "cannot be written",
    advice: "set SEGFUSE_CACHE",
  },
  environment: { SEGFUSE_CACHE: "/cache" },
  engines: {
    tensorflow: { works: false, found: "not set up", advice: "make it: `segfuse setup`" },
    wasm: { works: true, found: "WebAssembly on CPU (Some CPU)", advice: null },
    cpu: { works: true, found: "plain JavaScript on CPU (Some CPU)", advice: null },
  },
  onednn: null,
  auto: "wasm",
};

it("says what is wrong, and below it what to do", () => {
  expect(formatReport(broken)).toMatchInlineSnapshot(`
    "segfuse     0.1.0, Node 20.20.2, TensorFlow.js 4.22.0, addon 4.22.0
    machine     linux x64, Some CPU, 2 cores
    processor   avx avx2 fma; no avx512_vnni
    memory      8.0 GB, 7.3 GB free
    gpu         none (there is no nvidia-smi)
    compiler    no: there is no C++ compiler
                → install one: \`apk add g++\`
    pip         /usr/bin/python3 -m pip: 25.0
    cache       /cache (cannot be written, 1.0 GB free)
                → set SEGFUSE_CACHE
    environment SEGFUSE_CACHE=/cache
    tensorflow  does not work: not set up
                → make it: \`segfuse setup\`
    wasm        works: WebAssembly on CPU (Some CPU)
    cpu         works: plain JavaScript on CPU (Some CPU)
    auto        takes wasm"
  `);
});

it("finds what works on this machine", async () => {
  const report = await examine();
  expect(report.auto).toBe("tensorflow");
  // What differs from one machine to the next
  Object.assign(report.versions, { segfuse: "S", node: "N" });
  Object.assign(report.machine, {
    glibc: "G",
    cpu: "CPU",
    cores: 2,
    flags: ["avx512_vnni"],
    memory: 8e9,
    free_memory: 7e9,
  });
  Object.assign(report.cache, { folder: "CACHE", free: 5e9 });
  report.gpu = { works: false, found: "GPU", advice: null };
  report.compiler.found = report.compiler.found.replace(/.*/, "COMPILER");
  report.pip.found = report.pip.found.replace(/.*/, "PIP");
  report.environment = {};
  const text = formatReport(report)
    .replaceAll(/CPU \(.*\), from .*/g, "CPU, from SOURCE")
    .replaceAll(/ CPU \(.*\)/g, " CPU");
  expect(text).toMatchInlineSnapshot(`
    "segfuse     S, Node N, TensorFlow.js 4.22.0, addon 4.22.0
    machine     linux x64, glibc G, CPU, 2 cores
    processor   avx512_vnni
    memory      8.0 GB, 7.0 GB free
    gpu         GPU
    compiler    COMPILER
    pip         PIP
    cache       CACHE (there, 5.0 GB free)
    tensorflow  works: TensorFlow 2.21.0 on CPU, from SOURCE
    onednn      on (set by segfuse)
    wasm        works: WebAssembly on CPU
    cpu         works: plain JavaScript on CPU
    auto        takes tensorflow"
  `);
});

it.each([
  [undefined, "on (set by segfuse)", null],
  ["FALSE", "off (TF_ENABLE_ONEDNN_OPTS=0)", "slower: unset TF_ENABLE_ONEDNN_OPTS, unless you mean it"],
  // TensorFlow does not understand it and would decide by the processor.
  ["yes", "on (set by segfuse)", null],
])("says whether oneDNN is on: TF_ENABLE_ONEDNN_OPTS=%s", async (value, found, advice) => {
  const { stdout } = await segfuse(["doctor", "--json"], { env: { TF_ENABLE_ONEDNN_OPTS: value } });
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report.onednn).toEqual({ works: value !== "FALSE", found, advice });
  // As the kernel says it
  const flags = /^flags\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))![1]!.split(" ");
  expect(report.machine.flags).toEqual(flags.filter((flag) => /^(avx|amx|fma)/.test(flag)));
});
