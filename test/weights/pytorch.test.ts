import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import { openWeights } from "../../src/weights/open.ts";
import { readSafetensors, SafetensorsFile } from "../../src/weights/safetensors.ts";
import { fixturePath } from "../helpers/fixtures.ts";

const hasTorch = spawnSync("python3", ["-c", "import torch"]).status === 0;
if (!hasTorch) process.stderr.write("skipped: some tests of PyTorch files need python3 with torch\n");

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "segfuse-pytorch-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const pytorch = (name: string) => fixturePath(`pytorch/${name}`);

/** What a file holds, or the code and what was found. */
async function complaint(path: string): Promise<string> {
  try {
    const file = await openWeights(path);
    try {
      for (const name of file.names()) await file.readBytes(name);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SegfuseError) return `${error.code}: ${error.details.found ?? error.message}`;
    throw error;
  }
  return "no error";
}

describe("PyTorch files", () => {
  // The .pth files were written by PyTorch; expected.safetensors holds what its tensors were, made contiguous.
  const files = ["types", "views", "views_protocol5"].flatMap((name) => [
    `${name}.pth`,
    `${name}.legacy.pth`,
  ]);

  it.each(files)("%s gives every tensor bit for bit", async (name) => {
    const expected = await SafetensorsFile.open(pytorch("expected.safetensors"));
    const file = await openWeights(pytorch(name));
    const prefix = name.startsWith("types") ? "types/" : "views/";
    const names = [...expected.entries.keys()].filter((entry) => entry.startsWith(prefix));
    expect([...file.entries.keys()].sort()).toEqual(names.map((entry) => entry.slice(prefix.length)).sort());
    for (const entry of names) {
      const { dtype, shape } = expected.info(entry);
      expect(file.info(entry.slice(prefix.length)), entry).toMatchObject({ dtype, shape });
      expect(await file.readBytes(entry.slice(prefix.length)), entry).toEqual(
        await expected.readBytes(entry),
      );
    }
    await file.close();
    await expected.close();
  });

  it("find the state dict of a checkpoint with an optimiser, without `module.`", async () => {
    for (const name of ["checkpoint.pth", "checkpoint.legacy.pth", "nested.pth"]) {
      const file = await openWeights(pytorch(name));
      expect(
        Object.fromEntries([...file.entries].map(([n, { dtype, shape }]) => [n, [dtype, shape]])),
      ).toEqual({
        "0.weight": ["F32", [3, 2, 1, 1]],
        "0.bias": ["F32", [3]],
        "1.weight": ["F32", [3]],
        "1.bias": ["F32", [3]],
        "1.running_mean": ["F32", [3]],
        "1.running_var": ["F32", [3]],
        "1.num_batches_tracked": ["I64", []],
      });
      // value j of tensor i is i + j, as the script made them
      expect((await file.read("0.weight")).data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
      expect(await file.readFloats("1.running_var")).toEqual(Float32Array.of(5, 6, 7));
      await file.close();
    }
  });

  it("are told by their content, whatever their name", async () => {
    const path = join(folder, "really_zip.safetensors");
    writeFileSync(path, readFileSync(pytorch("types.pth")));
    expect(await complaint(path)).toBe("no error");
    const other = join(folder, "really_safetensors.pth");
    writeFileSync(other, readFileSync(pytorch("expected.safetensors")));
    expect(await complaint(other)).toBe("no error");
    expect((await readSafetensors(other)).tensors.size).toBe(23);
  });

  it.skipIf(!hasTorch)(
    "that need code where weights are due are refused by its name, and nothing is run",
    async () => {
      const trace = join(folder, "was_run");
      const script = `
import collections, os, sys, torch
folder, trace = sys.argv[1:]
class Evil:
    def __init__(self, call): self.call = call
    def __reduce__(self): return self.call
class Plain: pass
evil = {
    "system": Evil((os.system, (f"touch {trace}",))),
    "eval": Evil((eval, (f"open({trace!r}, 'w')",))),
    "in_dict": collections.OrderedDict(w=torch.ones(2), x=Evil((os.mkdir, (trace,)))),
    "object": {"state_dict": {"w": torch.ones(2)}, "args": Plain()},
    "module": torch.nn.Linear(1, 1),
    "default": collections.defaultdict(list),
}
for name, value in evil.items():
    for protocol in (2, 4):
        torch.save(value, f"{folder}/{name}_{protocol}.pth", pickle_protocol=protocol)
    torch.save(value, f"{folder}/{name}_legacy.pth", _use_new_zipfile_serialization=False)`;
      execFileSync("python3", ["-c", script, folder, trace]);
      const told: string[] = [];
      for (const name of ["system", "eval", "in_dict", "object", "module", "default"]) {
        const found = new Set<string>();
        for (const kind of ["2", "4", "legacy"])
          found.add(await complaint(join(folder, `${name}_${kind}.pth`)));
        told.push(`${name}: ${[...found].join(" | ")}`);
      }
      expect(told.join("\n")).toMatchInlineSnapshot(`
      "system: SEGFUSE_WEIGHTS_GLOBAL: the name posix.system
      eval: SEGFUSE_WEIGHTS_GLOBAL: the name builtins.eval
      in_dict: SEGFUSE_WEIGHTS_GLOBAL: x is posix.mkdir
      object: no error
      module: SEGFUSE_WEIGHTS_GLOBAL: the name torch.nn.modules.linear.Linear
      default: SEGFUSE_WEIGHTS_GLOBAL: the name collections.defaultdict"
    `);
      expect(existsSync(trace)).toBe(false);
    },
  );

  it.skipIf(!hasTorch)("that were packed again are read, unless they are bombs", async () => {
    const script = `
import sys, zipfile, torch
folder = sys.argv[1]
def repack(source, target, change=lambda name, data: data, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for item in old.infolist():
            data = change(item.filename, old.read(item))
            if data is not None: new.writestr(item.filename, data)
torch.save({"w": torch.arange(1000.)}, folder + "/plain.pth")
repack(folder + "/plain.pth", folder + "/packed.pth")
torch.save({"w": torch.zeros(20_000_000)}, folder + "/large.pth")
repack(folder + "/large.pth", folder + "/bomb.pth")
repack(folder + "/plain.pth", folder + "/pickle_bomb.pth",
       lambda name, data: b"\\x80\\x02" + b"N" * 50_000_000 if name.endswith("data.pkl") else data)
repack(folder + "/plain.pth", folder + "/many_values.pth", method=zipfile.ZIP_STORED,
       change=lambda name, data: b"\\x80\\x02" + b"N" * 30_000_000 if name.endswith("data.pkl") else data)
repack(folder + "/plain.pth", folder + "/many_dicts.pth", method=zipfile.ZIP_STORED,
       change=lambda name, data: b"\\x80\\x02" + b"}" * 15_000_000 if name.endswith("data.pkl") else data)
repack(folder + "/plain.pth", folder + "/short.pth", method=zipfile.ZIP_STORED,
       change=lambda name, data: data[:-4] if name.endswith("data/0") else data)
repack(folder + "/plain.pth", folder + "/absent.pth", method=zipfile.ZIP_STORED,
       change=lambda name, data: None if name.endswith("data/0") else data)
repack(folder + "/plain.pth", folder + "/big_endian.pth",
       change=lambda name, data: b"big" if name.endswith("byteorder") else data)`;
    execFileSync("python3", ["-c", script, folder]);
    rmSync(join(folder, "large.pth"));
    const told: string[] = [];
    const before = process.memoryUsage().rss;
    for (const name of [
      "plain",
      "packed",
      "bomb",
      "pickle_bomb",
      "many_values",
      "many_dicts",
      "short",
      "absent",
      "big_endian",
    ]) {
      told.push(`${name}: ${await complaint(join(folder, `${name}.pth`))}`);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(600 * 2 ** 20);
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "plain: no error
      packed: no error
      bomb: SEGFUSE_WEIGHTS_FILE: a zip bomb: 'large/data/0' unpacks 77761 bytes to 80000000
      pickle_bomb: SEGFUSE_WEIGHTS_FILE: a zip bomb: 'plain/data.pkl' unpacks 48607 bytes to 50000002
      many_values: SEGFUSE_WEIGHTS_FILE: more than 2000000 values at once
      many_dicts: SEGFUSE_WEIGHTS_FILE: more than 1000000 containers
      short: SEGFUSE_WEIGHTS_FILE: data/0 of 3996 bytes where 4000 are due
      absent: SEGFUSE_WEIGHTS_FILE: no data/0
      big_endian: SEGFUSE_WEIGHTS_FILE: the byte order of another machine"
    `);
  });

  it("say what is wrong with them", async () => {
    const zip = readFileSync(pytorch("types.pth"));
    const legacy = readFileSync(pytorch("types.legacy.pth"));
    /** A pickle of protocol 2 in the legacy container, with no storages. */
    const legacyOf = (pickle: string) => {
      // magic number, version and machine, as PyTorch wrote them; ended by the third STOP
      let end = 0;
      for (let stops = 0; stops < 3; end++) if (legacy[end] === 0x2e) stops++;
      return Buffer.concat([
        legacy.subarray(0, end),
        Buffer.from(`\x80\x02${pickle}.`, "latin1"),
        Buffer.from("\x80\x02].", "latin1"),
      ]);
    };
    const damaged = Buffer.from(zip);
    const at = damaged.indexOf(Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf])); // float64 0, -0.5
    damaged[at + 14]! ^= 1;
    const cases: Record<string, Buffer> = {
      "an empty file": Buffer.alloc(0),
      "no PyTorch file": Buffer.from("hello, world"),
      "half a zip": zip.subarray(0, zip.length / 2),
      "a changed bit": damaged,
      "half a legacy file": legacy.subarray(0, legacy.length / 2),
      "a legacy file of one byte less": legacy.subarray(0, -1),
      "a legacy file of one byte more": Buffer.concat([legacy, Buffer.of(0)]),
      "a list": legacyOf("]"),
      "no tensors": legacyOf("}X\x05\0\0\0epochK\x03s"),
      "too deep a stack": legacyOf("(".repeat(2_100_000)),
      "a deep nest": legacyOf(`]${"\x85".repeat(999_990)}`),
      "an unknown operation": legacyOf("P1\n"),
      "a missing memo": legacyOf("h\x05"),
      "a persistent id of another kind": legacyOf("X\x04\0\0\0evilQ"),
      "a call of no function": legacyOf("K\x01)R"),
      "a call of a dtype": legacyOf("ctorch\nfloat32\n)R"),
      "Python 2's name of eval": legacyOf("c__builtin__\neval\n"),
      "an instance": legacyOf("(iposix\nsystem\n"),
      "a registered extension": legacyOf("\x82\x01"),
    };
    const path = join(folder, "wrong.pth");
    const told: string[] = [];
    for (const [name, bytes] of Object.entries(cases)) {
      writeFileSync(path, bytes);
      told.push(`${name}: ${await complaint(path)}`);
    }
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "an empty file: SEGFUSE_WEIGHTS_FILE: neither a zip archive nor a pickle
      no PyTorch file: SEGFUSE_WEIGHTS_FILE: neither a zip archive nor a pickle
      half a zip: SEGFUSE_WEIGHTS_FILE: End of central directory record signature not found. Either not a zip file, or file is truncated.
      a changed bit: SEGFUSE_WEIGHTS_FILE: 'types/data/0' is damaged: its checksum differs
      half a legacy file: SEGFUSE_WEIGHTS_FILE: the file ends inside a pickle
      a legacy file of one byte less: SEGFUSE_WEIGHTS_FILE: a storage of 3 BOOL, in a file of 1621 bytes
      a legacy file of one byte more: SEGFUSE_WEIGHTS_FILE: 1 bytes after the last storage
      a list: SEGFUSE_WEIGHTS_FILE: no dict of tensors but a list
      no tensors: SEGFUSE_WEIGHTS_FILE: no tensors under state_dict, model_state_dict, model_state, model, net, network, module or at the top, whose keys are epoch
      too deep a stack: SEGFUSE_WEIGHTS_FILE: more than 2000000 values at once
      a deep nest: SEGFUSE_WEIGHTS_FILE: no dict of tensors but a list
      an unknown operation: SEGFUSE_WEIGHTS_FILE: the pickle operation 0x50
      a missing memo: SEGFUSE_WEIGHTS_FILE: nothing was stored as 5
      a persistent id of another kind: SEGFUSE_WEIGHTS_FILE: a reference to something that is no storage
      a call of no function: SEGFUSE_WEIGHTS_FILE: a call of something that is no name
      a call of a dtype: SEGFUSE_WEIGHTS_FILE: a call of torch.float32
      Python 2's name of eval: SEGFUSE_WEIGHTS_GLOBAL: the name builtins.eval
      an instance: SEGFUSE_WEIGHTS_GLOBAL: the name posix.system
      a registered extension: SEGFUSE_WEIGHTS_FILE: the pickle operation 0x82"
    `);
  });

  it.skipIf(!hasTorch)("that claim more than they hold are refused before memory is taken", async () => {
    const script = `
import sys, pickle, struct, zipfile, torch
from collections import OrderedDict
folder = sys.argv[1]
class Storage:
    def __init__(self, count): self.count = count
class Tensor:
    def __init__(self, count, *args): self.storage, self.args = Storage(count), args
    def __reduce__(self): return (torch._utils._rebuild_tensor_v2, (self.storage, *self.args, False, OrderedDict()))
class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage): return ("storage", torch.FloatStorage, "0", "cpu", value.count)
def write(name, *tensor):
    with zipfile.ZipFile(f"{folder}/{name}.pth", "w") as file:
        with file.open("a/data.pkl", "w") as out: Pickler(out, 2).dump({"w": Tensor(*tensor)})
        file.writestr("a/data/0", struct.pack("<16f", *range(16)))
        file.writestr("a/version", "3")
write("good", 16, 0, (4, 4), (4, 1))
write("claimed_10_gb", 2_500_000_000, 0, (2_500_000_000,), (1,))
write("beyond", 16, 1, (4, 4), (4, 1))
write("negative_shape", 16, 0, (-4, 4), (4, 1))
write("negative_stride", 16, 3, (4,), (-1,))
write("negative_offset", 16, -1, (4,), (1,))
write("expanded_10_gb", 16, 0, (2_500_000_000,), (0,))
write("ranks", 16, 0, (4, 4), (4,))
write("overflow", 16, 0, (2**40, 2**40), (0, 0))`;
    execFileSync("python3", ["-c", script, folder]);
    const told: string[] = [];
    const before = process.memoryUsage().rss;
    for (const name of [
      "good",
      "claimed_10_gb",
      "beyond",
      "negative_shape",
      "negative_stride",
      "negative_offset",
      "expanded_10_gb",
      "ranks",
      "overflow",
    ]) {
      told.push(`${name}: ${await complaint(join(folder, `${name}.pth`))}`);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "good: no error
      claimed_10_gb: SEGFUSE_WEIGHTS_FILE: data/0 of 64 bytes where 10000000000 are due
      beyond: SEGFUSE_WEIGHTS_FILE: a tensor [4, 4] in a storage of 16 elements
      negative_shape: SEGFUSE_WEIGHTS_FILE: a tensor's shape of -4
      negative_stride: SEGFUSE_WEIGHTS_FILE: a tensor's strides of -1
      negative_offset: SEGFUSE_WEIGHTS_FILE: a tensor's offset of -1
      expanded_10_gb: SEGFUSE_WEIGHTS_FILE: a tensor [2500000000] in a storage of 16 elements
      ranks: SEGFUSE_WEIGHTS_FILE: a tensor of 2 sizes and 1 strides
      overflow: SEGFUSE_WEIGHTS_FILE: a tensor [1099511627776, 1099511627776] in a storage of 16 elements"
    `);
  });
});
