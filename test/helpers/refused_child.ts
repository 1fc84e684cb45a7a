/**
 * Writes files and checkpoints in a folder whose file system refuses operations (test/helpers/refusing.cc). Prints what
 * became of each case as JSON.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withWorkspace } from "../../src/engine/setup/workspace.ts";
import { SegfuseError } from "../../src/errors.ts";
import type { CheckpointJob } from "../../src/checkpoints/state.ts";
import { storeCheckpoint } from "../../src/checkpoints/store.ts";
import { CheckpointFolder, verifyCheckpoint } from "../../src/checkpoints/folder.ts";
import { writeFileAtomic } from "../../src/util/atomic_file.ts";
import { freeSpace } from "../../src/util/file_system.ts";

const root = process.argv[2]!;
const outcome: Record<string, unknown> = {};

/** @param refuse as $REFUSE says it */
async function under(refuse: string, name: string, work: (folder: string) => unknown): Promise<void> {
  const folder = join(root, name.replaceAll(/\W+/g, "_"));
  mkdirSync(folder);
  process.env.REFUSE = refuse;
  try {
    outcome[name] = await work(folder);
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    outcome[name] = error.report().replaceAll(root, "ROOT");
  } finally {
    process.env.REFUSE = "";
  }
}

async function writeTwice(folder: string): Promise<unknown> {
  const file = join(folder, "report.json");
  await writeFileAtomic(file, "first");
  await writeFileAtomic(file, "second");
  return [readFileSync(file, "utf8"), ...readdirSync(folder)];
}

const job = (folder: string, iteration: number) =>
  ({
    folder,
    files: [
      {
        name: "model.safetensors",
        metadata: {},
        tensors: [{ name: "w", layout: "plain", shape: [2], values: new Float32Array([iteration, 1]) }],
      },
    ],
    state: { iteration, best: { iteration, metric: "mIoU", value: 1 } },
    retention: { keepLast: 1, keepEvery: null },
  }) as unknown as CheckpointJob;

/** The same iteration a second time, then another one. */
async function storeCheckpoints(workDir: string): Promise<unknown> {
  const told: string[] = [];
  const checkpoints = new CheckpointFolder(workDir);
  for (const iteration of [1, 1, 2]) {
    await storeCheckpoint(job(checkpoints.folder, iteration), (operation) => told.push(operation));
    for (const pointer of ["last", "best"] as const)
      await verifyCheckpoint((await checkpoints.named(pointer))!);
  }
  return { told: [...new Set(told)], left: readdirSync(checkpoints.folder).sort() };
}

async function publish(cache: string): Promise<unknown> {
  const target = join(cache, "engine");
  await withWorkspace(
    cache,
    () => {},
    // eslint-disable-next-line @typescript-eslint/require-await
    async (workspace) => {
      for (const content of ["first", "second"]) {
        const made = join(workspace.folder, content);
        mkdirSync(join(made, "include"), { recursive: true });
        writeFileSync(join(made, "lib"), content);
        writeFileSync(join(made, "include/h"), content);
        workspace.publish(made, target, ["lib"], content === "second");
      }
    },
  );
  return [readFileSync(join(target, "lib"), "utf8"), readFileSync(join(target, "include/h"), "utf8")];
}

const [EPERM, EIO, EBUSY, EEXIST, EXDEV, EINVAL, ENOSPC, ENOSYS, ENOTEMPTY, ENOTSUP, EDQUOT, ENOTSUPP] = [
  1, 5, 16, 17, 18, 22, 28, 38, 39, 95, 122, 524,
];
await under(`fsync=${EINVAL} link=${EPERM}`, "no fsync", writeTwice);
await under(`fsync=${ENOTSUPP} rename=${ENOTSUPP}`, "the kernel's own number", writeTwice);
await under(`rename-over=${EEXIST}`, "no rename over a file", writeTwice);
await under(`rename-over=${EBUSY} fsync=${ENOTSUP}`, "a file that is open", writeTwice);
await under(`fsync=${EIO}`, "a broken disk", writeTwice);
await under(`fsync=${ENOSPC}`, "a full disk", writeTwice);
await under(`fsync=${EDQUOT}`, "a full share", writeTwice);
await under(`rename=${EIO}`, "a rename that fails", writeTwice);
await under(`fsync=${ENOSYS} link=${EPERM}`, "checkpoints without fsync", storeCheckpoints);
await under(`rename=${EPERM} link=${EPERM}`, "checkpoints without renames", storeCheckpoints);
await under(`rename-folder=${EXDEV}`, "checkpoints on layers", storeCheckpoints);
await under(`rmdir=${ENOTEMPTY}`, "checkpoints that somebody reads", storeCheckpoints);
await under("statfs=0", "checkpoints without numbers of blocks", storeCheckpoints);
await under(`fsync=${EIO}`, "checkpoints on a broken disk", storeCheckpoints);
await under(`fsync=${ENOSPC}`, "checkpoints on a full disk", storeCheckpoints);
await under("statfs=0", "no blocks", freeSpace);
await under(`statfs=${ENOSYS}`, "no answer", freeSpace);
await under(`rename-folder=${EXDEV}`, "an engine on layers", publish);
await under(`rename=${EPERM}`, "an engine without renames", publish);
process.stdout.write(JSON.stringify(outcome));
