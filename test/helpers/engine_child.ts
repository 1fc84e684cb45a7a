/** Opens the native engine in a process of its own; prints what it is and how many threads came with it. */
import { readdirSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { openEngine } from "../../src/engine/engine.ts";
import { stderrLogger } from "../../src/util/logger.ts";

const before = readdirSync("/proc/self/task").length;
const threads = process.argv[2] === undefined ? null : Number(process.argv[2]);
const engine = await openEngine({ type: "tensorflow", threads }, stderrLogger);
const sum = tf
  .conv2d(tf.ones<tf.Rank.R4>([1, 8, 8, 2]), tf.ones<tf.Rank.R4>([3, 3, 2, 1]), 1, "valid")
  .sum()
  .dataSync()[0];
process.stdout.write(
  JSON.stringify({ backend: engine.backend, sum, threads: readdirSync("/proc/self/task").length - before }),
);
