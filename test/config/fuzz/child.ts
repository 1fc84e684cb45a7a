/** A part of the fuzzing in a process of its own, whose memory can be told: `child.ts FROM TO`; prints JSON. */
import { fuzz } from "./run.ts";

const [from, to] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(await fuzz(from!, to!)));
