/** Closes a loader while its workers' samples are on their way, with nothing else that keeps the process alive. */
import { openTrainLoader } from "../../src/datasets/loader.ts";
import type { DataConfig } from "../../src/datasets/source.ts";

const config = JSON.parse(process.argv[2]!) as DataConfig;
const loader = await openTrainLoader({ config, seed: 0, firstIteration: 0, iterations: 9 });
await loader.next();
// As an update does, hold the thread until the workers have sent what they were asked for.
const start = performance.now();
while (performance.now() - start < 500);
await loader.close();
process.stdout.write("closed");
