import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { SegfuseError } from "../../src/errors.ts";
import { Random } from "../../src/util/random.ts";
import { openWeights } from "../../src/weights/open.ts";

/** A good file, and the part of it that is mutated. */
export interface Victim {
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
  /** Changed bytes lie before this; the file's end and length may always change. */
  readonly limit: number;
}

/** `same`: the weights of the good file. `different`: other weights. A code: refused. */
export type Outcome = { kind: "same" | "different"; digest: string } | { kind: "refused"; code: string };

/** Numbers that break sums of sizes. */
const extremes = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];

/** A mutation of a file: one to four random changes, decided by the seed alone. */
export function mutate({ name, bytes, limit }: Victim, seed: number): Buffer {
  const random = new Random("mutation", name, seed);
  let mutated = Buffer.from(bytes);
  for (let changes = 1 + random.integer(4); changes > 0; changes--) {
    const end = Math.max(1, Math.min(limit, mutated.length));
    const at = random.integer(end);
    const length = 1 + random.integer(16);
    switch (random.integer(9)) {
      case 0:
      case 1:
      case 2:
        if (at < mutated.length) mutated[at]! ^= 1 << random.integer(8);
        break;
      case 3:
        if (at < mutated.length) mutated[at] = random.integer(256);
        break;
      case 4: {
        const value = Buffer.alloc(8);
        value.writeBigUInt64LE(extremes[random.integer(extremes.length)]!);
        value.copy(mutated, at, 0, [1, 2, 4, 8][random.integer(4)]);
        break;
      }
      case 5:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + length)]);
        break;
      case 6: {
        const from = random.integer(end);
        const piece = mutated.subarray(from, from + length);
        mutated = Buffer.concat([mutated.subarray(0, at), piece, mutated.subarray(at)]);
        break;
      }
      case 7: {
        const from = random.integer(end);
        Buffer.from(mutated.subarray(from, from + length)).copy(mutated, at);
        break;
      }
      default:
        // rarely the whole file
        if (random.integer(4) === 0)
          mutated = Buffer.from(mutated.subarray(0, random.integer(mutated.length + 1)));
        else mutated = Buffer.concat([mutated, mutated.subarray(0, random.integer(9))]);
    }
  }
  return mutated;
}

/** Reads a file whole; anything but weights or a coded error is thrown on. */
export async function outcomeOf(path: string, good: string): Promise<Outcome> {
  try {
    const digest = await digestOf(path);
    return { kind: digest === good ? "same" : "different", digest };
  } catch (error) {
    if (error instanceof SegfuseError && error.code.startsWith("SEGFUSE_WEIGHTS_")) {
      return { kind: "refused", code: error.code };
    }
    throw error;
  }
}

/** Of all names, types, shapes and elements, as test/weights/reference_digests.py computes it. */
export async function digestOf(path: string): Promise<string> {
  const file = await openWeights(path);
  try {
    const hash = createHash("sha256");
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    for (const name of file.names().sort(byBytes)) {
      const { dtype, shape } = file.info(name);
      hash.update(`${name}\0${dtype}\0${shape.join(",")}\0`).update(await file.readBytes(name));
    }
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

/** Writes mutation number `seed` of a file and reads it, with a limit on time. */
export async function tryMutation(
  victim: Victim,
  good: string,
  seed: number,
  path: string,
): Promise<Outcome> {
  writeFileSync(path, mutate(victim, seed));
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`mutation ${seed} of ${victim.name} hangs`)), 20_000);
  });
  try {
    return await Promise.race([outcomeOf(path, good), hang]);
  } catch (error) {
    throw new Error(`mutation ${seed} of ${victim.name}: ${(error as Error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
