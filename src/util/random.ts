import { createHash } from "node:crypto";

/**
 * A stream of random numbers that depends on nothing but its keys, so that any choice can be made again
 * by any worker in any order: hash(seed, iteration, sample, purpose).
 *
 * The keys are hashed with SHA-256 and seed sfc32 (Chris Doty-Humphrey's small fast counter generator,
 * PractRand), which is enough for augmentation and initial weights and is no cryptography.
 */
export class Random {
  private readonly state: Int32Array;

  constructor(...keys: readonly (string | number)[]) {
    const digest = createHash("sha256").update(JSON.stringify(keys)).digest();
    this.state = Int32Array.from({ length: 4 }, (_, i) => digest.readInt32LE(4 * i));
  }

  /** An unsigned 32-bit integer. */
  uint32(): number {
    const s = this.state as unknown as [number, number, number, number];
    const t = (s[0] + s[1] + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + t;
    return t >>> 0;
  }

  /** Uniform in [0, 1), 32 bits of it random. */
  uniform(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A uniform integer in [0, count). */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The numbers 0..count-1 in random order (Fisher and Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const moved = order[i]!;
      order[i] = order[j]!;
      order[j] = moved;
    }
    return order;
  }
}
