import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { fixturePath } from "../helpers/fixtures.ts";
import { digestOf, tryMutation, type Victim } from "./mutations.ts";

const hasReference = spawnSync("python3", ["-c", "import torch, safetensors.torch"]).status === 0;

/**
 * Good files of each format. Only a zip archive has checksums. A safetensors file says nothing by which a changed
 * bit of its data could be noticed, nor does a legacy PyTorch file: of those the header and the pickles are
 * mutated, and the length.
 */
export function victims(): Victim[] {
  const named = (name: string, limit: (bytes: Buffer) => number, folder = "pytorch"): Victim => {
    const path = fixturePath(`${folder}/${name}`);
    const bytes = readFileSync(path);
    return { name, path, bytes, limit: limit(bytes) };
  };
  const everything = (bytes: Buffer) => bytes.length;
  /** The last pickle ends where the list of storages' keys does. */
  const pickles = (bytes: Buffer) => bytes.lastIndexOf("e.") + 2;
  return [
    named("expected.safetensors", (bytes) => 8 + Number(bytes.readBigUInt64LE())),
    named("types.pth", everything),
    named("views.pth", everything),
    named("views_protocol5.pth", everything),
    named("checkpoint.pth", everything),
    named("types.legacy.pth", pickles),
    named("views.legacy.pth", pickles),
    named("checkpoint.legacy.pth", pickles),
    named("mmengine.pth", everything, "checkpoints"),
    named("mmengine.legacy.pth", pickles, "checkpoints"),
    named("torchvision.legacy.pth", pickles, "checkpoints"),
    named("hostile.pth", everything, "checkpoints"),
    named("hostile.legacy.pth", pickles, "checkpoints"),
  ];
}

/**
 * Mutates a file `count` times. Each mutation must give the same weights or a coded error. Where the format has no
 * checksum a mutation can be another good file (a letter of a name changed): then the reference implementation
 * must read the very same from it.
 */
export async function fuzz(
  victim: Victim,
  count: number,
): Promise<{ same: number; different: number; refused: number }> {
  const folder = mkdtempSync(join(tmpdir(), "segfuse-fuzz-"));
  try {
    const path = join(folder, victim.name);
    const good = await digestOf(victim.path);
    const outcomes = { same: 0, different: 0, refused: 0 };
    const differing = new Map<string, string>();
    for (let seed = 0; seed < count; seed++) {
      const outcome = await tryMutation(victim, good, seed, path);
      outcomes[outcome.kind]++;
      if (outcome.kind !== "different") continue;
      const kept = join(folder, `${seed}.${victim.name}`);
      renameSync(path, kept);
      differing.set(kept, outcome.digest);
    }
    const isChecked = victim.name.endsWith(".pth") && !victim.name.endsWith(".legacy.pth");
    if (isChecked) expect([...differing.keys()]).toEqual([]);
    else if (differing.size > 0) compare(differing);
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compare(differing: ReadonlyMap<string, string>): void {
  if (!hasReference) {
    process.stderr.write("skipped: comparing mutated files needs python3 with torch and safetensors\n");
    return;
  }
  const script = fileURLToPath(new URL("reference_digests.py", import.meta.url));
  const input = [...differing.keys()].join("\n");
  const text = execFileSync("python3", [script], { encoding: "utf8", input, maxBuffer: 2 ** 28 });
  const expected = new Map(
    text
      .trim()
      .split("\n")
      .map((line) => [line.split(" ")[0]!, line.slice(line.indexOf(" ") + 1)]),
  );
  const wrong = [...differing].filter(([path, digest]) => expected.get(path) !== digest);
  expect(wrong.map(([path]) => `${path}: ${expected.get(path)}`)).toEqual([]);
}
