import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import { readSafetensors, SafetensorsFile, writeSafetensors } from "../../src/weights/safetensors.ts";

const hasTorch = spawnSync("python3", ["-c", "import torch, safetensors.torch"]).status === 0;
let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "segfuse-weights-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file from a header and data, as a stranger might write it. */
function craft(header: unknown, data: Uint8Array | number = 0): string {
  const path = join(folder, "crafted.safetensors");
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, text, typeof data === "number" ? Buffer.alloc(data) : data]));
  return path;
}

async function complaint(path: string): Promise<string> {
  try {
    await SafetensorsFile.open(path);
  } catch (error) {
    if (error instanceof SegfuseError) return `${error.code}: ${error.details.found ?? error.message}`;
    throw error;
  }
  return "no error";
}

describe("safetensors", () => {
  it("reads back what it wrote, with metadata, and leaves no temporary file", async () => {
    const path = join(folder, "round.safetensors");
    const tensors = new Map([
      ["b.weight", { shape: [2, 2], data: Float32Array.of(1.5, -2, 3, Number.MIN_VALUE) }],
      ["a", { shape: [3], data: Uint8Array.of(1, 2, 255) }],
      ["count", { shape: [], data: Int32Array.of(-7) }],
      ["empty", { shape: [0, 4], data: new Float32Array(0) }],
    ]);
    await writeSafetensors(path, tensors, { zebra: "ä\n", classes: '["road"]' });
    const read = await readSafetensors(path);
    expect(read.metadata).toEqual({ classes: '["road"]', zebra: "ä\n" });
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...tensors].sort()));
    expect(readdirSync(folder)).toEqual(["round.safetensors"]);
  });

  it.skipIf(!hasTorch)("writes files that PyTorch opens", async () => {
    const path = join(folder, "torch.safetensors");
    await writeSafetensors(
      path,
      {
        w: { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 0.1) },
        n: { shape: [], data: Int32Array.of(5) },
      },
      { classes: '["road","sky"]' },
    );
    const script = `
import sys, torch, safetensors.torch
from safetensors import safe_open
t = safetensors.torch.load_file(sys.argv[1])
print(sorted(t), t["w"].dtype, t["w"].tolist(), t["n"].item(), safe_open(sys.argv[1], "pt").metadata())`;
    expect(execFileSync("python3", ["-c", script, path], { encoding: "utf8" })).toMatchInlineSnapshot(`
      "['n', 'w'] torch.float32 [[0.0, 1.0, 2.0], [3.0, 4.0, 0.10000000149011612]] 5 {'classes': '["road","sky"]'}
      "
    `);
  });

  it.skipIf(!hasTorch)("reads every element type that PyTorch writes", async () => {
    const path = join(folder, "types.safetensors");
    const script = `
import sys, torch, safetensors.torch
v = torch.tensor([0., -0.5, 65504., 6e-8, float("inf"), 1.001])
kinds = dict(f64=torch.float64, f32=torch.float32, f16=torch.float16, bf16=torch.bfloat16)
t = {k: v.to(d) for k, d in kinds.items()}
t |= {k: torch.tensor([0, 1, 100]).to(getattr(torch, k)) for k in ("int64", "int32", "int16", "int8", "uint8", "bool")}
safetensors.torch.save_file(t, sys.argv[1])
for k in sorted(kinds): print(k, t[k].float().view(torch.int32).tolist())`;
    const bits = execFileSync("python3", ["-c", script, path], { encoding: "utf8" });
    const { tensors } = await readSafetensors(path);
    const ours = ["bf16", "f16", "f32", "f64"].map((kind) => {
      const data = tensors.get(kind)!.data;
      return `${kind} [${[...new Int32Array(data.buffer)].join(", ")}]\n`;
    });
    expect(ours.join("")).toBe(bits);
    for (const kind of ["int64", "int32", "int16", "int8"])
      expect(tensors.get(kind)!.data).toEqual(Int32Array.of(0, 1, 100));
    expect(tensors.get("uint8")!.data).toEqual(Uint8Array.of(0, 1, 100));
    expect(tensors.get("bool")!.data).toEqual(Int32Array.of(0, 1, 1));
  });

  it("refuses integers that do not fit", async () => {
    const data = Buffer.alloc(8);
    data.writeBigInt64LE(2n ** 40n);
    const path = craft({ n: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, data);
    await expect(readSafetensors(path)).rejects.toThrow("does not fit into 32 bits");
  });

  it("says what is wrong with a file", async () => {
    const entry = (begin: number, end: number, extra = {}) => ({
      dtype: "F32",
      shape: [1],
      data_offsets: [begin, end],
      ...extra,
    });
    const long = join(folder, "long.safetensors");
    writeFileSync(long, Buffer.from([255, 255, 255, 255, 255, 0, 0, 0, 123]));
    const told = [];
    for (const path of [join(folder, "absent.safetensors"), folder, long, craft("[]")]) {
      told.push(await complaint(path));
    }
    for (const [header, data] of [
      ["{", 0],
      [{ a: entry(0, 4) }, 3],
      [{ a: entry(0, 4) }, 5],
      [{ a: entry(0, 4), b: entry(2, 6) }, 6],
      [{ a: entry(0, 4), b: entry(8, 12) }, 12],
      [{ a: entry(0, 8) }, 8],
      [{ a: entry(0, 4, { dtype: "F8" }) }, 4],
      [{ a: entry(0, 4, { shape: [-1] }) }, 4],
      [{ a: entry(0, 4, { shape: [2 ** 40, 2 ** 40] }) }, 4],
      [{ a: null }, 4],
      [{ a: 1 }, 4],
      [
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ],
      [
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ],
      ['{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}', 4],
      ['{"__metadata__":{"n":"1","n":"2"}}', 0],
      ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}', 4],
      ['{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}', 4],
      ['{"a":{"dtype":"F32","shape":[[[1]]],"data_offsets":[0,4]}}', 4],
      [`{"a":${"[".repeat(1_000_000)}`, 4],
      [`{"a":[${"0,".repeat(1_000_000)}0]}`, 4],
      [{ a: entry(0, 10 * 2 ** 30, { shape: [2.5 * 2 ** 30] }) }, 4],
      [{ __metadata__: { n: 1 } }, 0],
    ] as const) {
      told.push(await complaint(craft(header, data)));
    }
    expect(told.join("\n").replaceAll(folder, "FOLDER")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_FILE: there is no such weight file
      SEGFUSE_WEIGHTS_FILE: a folder
      SEGFUSE_WEIGHTS_FILE: a header length of 1099511627775 bytes
      SEGFUSE_WEIGHTS_FILE: a header that does not begin with '{'
      SEGFUSE_WEIGHTS_FILE: a header that is no JSON: it ends too early
      SEGFUSE_WEIGHTS_FILE: 3 bytes of data where the header describes 4
      SEGFUSE_WEIGHTS_FILE: 5 bytes of data where the header describes 4
      SEGFUSE_WEIGHTS_FILE: tensor 'b' begins at byte 2, not at 4
      SEGFUSE_WEIGHTS_FILE: tensor 'b' begins at byte 8, not at 4
      SEGFUSE_WEIGHTS_FILE: tensor 'a': 8 bytes for F32 [1]
      SEGFUSE_WEIGHTS_FILE: tensor 'a' of unknown type F8
      SEGFUSE_WEIGHTS_FILE: tensor 'a' of shape [-1]
      SEGFUSE_WEIGHTS_FILE: tensor 'a': 4 bytes for F32 [1099511627776, 1099511627776]
      SEGFUSE_WEIGHTS_FILE: a header entry 'a' without type and shape
      SEGFUSE_WEIGHTS_FILE: a header entry 'a' without type and shape
      SEGFUSE_WEIGHTS_FILE: two tensors 'a' (the second at character 54)
      SEGFUSE_WEIGHTS_FILE: two tensors 'a' (the second at character 54)
      SEGFUSE_WEIGHTS_FILE: a header entry 'a' with 'dtype' twice
      SEGFUSE_WEIGHTS_FILE: a header entry '__metadata__' with 'n' twice
      SEGFUSE_WEIGHTS_FILE: a header that is no JSON: it ends too early
      SEGFUSE_WEIGHTS_FILE: a header that is no JSON: '}' at character 54
      SEGFUSE_WEIGHTS_FILE: a header entry 'a' that is nested too deep
      SEGFUSE_WEIGHTS_FILE: a header entry 'a' that is nested too deep
      SEGFUSE_WEIGHTS_FILE: an endless header entry 'a'
      SEGFUSE_WEIGHTS_FILE: 4 bytes of data where the header describes 10737418240
      SEGFUSE_WEIGHTS_FILE: __metadata__ that is no map of strings"
    `);
  });

  it("leaves the old file and no other behind where writing fails", async () => {
    const path = join(folder, "kept.safetensors");
    await writeSafetensors(path, { w: { shape: [1], data: Float32Array.of(1) } });
    const broken = {
      get w(): never {
        throw new Error("no values");
      },
    };
    await expect(writeSafetensors(path, broken)).rejects.toThrow("no values");
    const inFile = join(path, "below-a-file.safetensors");
    const refused = writeSafetensors(inFile, { w: { shape: [1], data: Float32Array.of(2) } });
    await expect(refused).rejects.toMatchObject({ code: "SEGFUSE_WRITE" });
    expect((await readSafetensors(path)).tensors.get("w")!.data).toEqual(Float32Array.of(1));
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
