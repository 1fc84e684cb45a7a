import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configHash, originText, stringifyConfig } from "../../src/config/index.ts";
import { Files, small } from "./files.ts";

describe("a resolved config", () => {
  it("holds every default, and loads again to the same", async () => {
    const files = new Files({ "configs/table1/small.yaml": small });
    const { config, hash } = await files.load("configs/table1/small.yaml");
    expect(config).toMatchObject({
      name: "table1_small",
      seed: 0,
      engine: { type: "auto", threads: null },
      model: {
        num_classes: null,
        align_corners: false,
        preprocess: { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
        backbone: { type: "resnet", depth: 18, stem: "v1c", output_stride: 8, base_channels: 64 },
        neck: { type: "none" },
        head: {
          type: "ppm",
          context: { type: "ppm", channels: 512, bins: [1, 2, 3, 6] },
          losses: [{ type: "cross_entropy", weight: 1 }],
        },
        auxiliary_head: null,
      },
      data: {
        batch_size: 8,
        crop_size: [864, 864],
        train: { split: "train" },
        test: { split: "val", transforms: [] },
      },
      optimizer: { type: "sgd", lr: 1e-3, momentum: 0.9, weight_decay: 1e-4, accumulate: 1, paramwise: [] },
      schedule: { type: "poly", iterations: 100_000, power: 0.9, warmup: { iterations: 0, ratio: 0.1 } },
      evaluation: { mode: "slide", stride: [576, 576], scales: [1], metrics: ["mIoU", "mAcc", "aAcc"] },
      checkpoint: { interval: 5000, keep_last: 3, keep_every: null, best: "mIoU" },
      hooks: [],
    });
    expect(config.data.train.transforms.map((t) => t.type)).toEqual([
      "random_scale",
      "random_crop",
      "random_flip",
      "color_jitter",
    ]);

    const stored = new Files({ "config.yaml": stringifyConfig(config) });
    const again = await stored.load("config.yaml");
    expect(again.config).toEqual(config);
    expect(again.hash).toBe(hash);
  });

  it("has a hash without paths, workers, threads and logging", async () => {
    const files = new Files({ "a.yaml": small });
    const { config, hash, paths } = await files.load("a.yaml");
    const elsewhere = [
      "data.workers=7",
      "engine.threads=3",
      "log.interval=9",
      "data.dataset.root=/elsewhere",
      "name=b",
      "init_from=/some/checkpoint",
      "min_loaded=0.5",
    ];
    expect((await files.load("a.yaml", { set: elsewhere })).hash).toBe(hash);
    expect((await files.load("a.yaml", { set: ["optimizer.lr=0.1"] })).hash).not.toBe(hash);
    expect((await files.load("a.yaml", { set: ["seed=1"] })).hash).not.toBe(hash);
    expect(configHash({ ...config, data: config.data, seed: 0 }, paths)).toBe(hash);
    // Options that came later: runs from before there were any go on.
    const before = structuredClone(config);
    for (const key of ["init_key", "min_loaded"] as const) delete (before as Partial<typeof config>)[key];
    delete (before.model.backbone as { pretrained_key?: unknown }).pretrained_key;
    expect(configHash(before, paths)).toBe(hash);
    expect((await files.load("a.yaml", { set: ["init_key=ema"] })).hash).not.toBe(hash);
    // As segfuse of November 2026, which knew no label_map, exif, list, oversample and palette_masks, gave it.
    const dataset = "data.dataset={type: folder, root: /tmp, classes: [a, b]}";
    const { hash: then } = await files.load("a.yaml", { set: [dataset] });
    expect(then).toBe("8cc244777877cc915a1856c9c54f971abc9ba5ec0ee462700672bf1bd6654e96");
    for (const option of ["label_map: {255: 1}", "exif: ignore", "mask_suffixes: [.tif]", "oversample: true"])
      expect((await files.load("a.yaml", { set: [dataset.replace("}", `, ${option}}`)] })).hash).not.toBe(
        then,
      );
    expect((await files.load("a.yaml", { set: ["model.backbone.pretrained_key=ema"] })).hash).not.toBe(hash);
  });
});

describe("evaluation.stride", () => {
  it("follows the window", async () => {
    const files = new Files({ "a.yaml": small });
    const stride = async (...set: string[]) => (await files.load("a.yaml", { set })).config.evaluation.stride;
    expect(await stride()).toEqual([576, 576]);
    expect(await stride("data.crop_size=[256, 96]")).toEqual([170, 64]);
    expect(await stride("evaluation.window=[300, 300]")).toEqual([200, 200]);
    expect(await stride("evaluation.stride=[5, 6]")).toEqual([5, 6]);
  });
});

describe("_base_", () => {
  it("merges maps deeply and replaces lists, scalars, whole components of another type and what _delete_ marks", async () => {
    const files = new Files({
      "base.yaml": `${small}
  batch_size: 4
optimizer: {lr: 0.5, paramwise: [{match: a}, {match: b}]}
evaluation: {mode: whole, scales: [1, 2], flip: true}
`,
      "top.yaml": `
_base_: base.yaml
model: {backbone: {type: mobilenet_v2}}
optimizer: {paramwise: [{match: c}]}
evaluation: {_delete_: true, scales: [3]}
`,
    });
    const { config } = await files.load("top.yaml");
    expect(config.model.backbone).not.toHaveProperty("depth");
    expect(config.data.batch_size).toBe(4);
    expect(config.optimizer).toMatchObject({ lr: 0.5, paramwise: [{ match: "c" }] });
    expect(config.evaluation).toMatchObject({ mode: "slide", scales: [3], flip: false });
  });

  it("says where two bases differ, and which of them inherits", async () => {
    const files = new Files({
      "root.yaml": `${small}\nseed: 1\n`,
      "a.yaml": "_base_: root.yaml\nseed: 2\n",
      "b.yaml": "_base_: root.yaml\noptimizer: {lr: 0.1}\n",
      "c.yaml": "optimizer: {lr: 0.2}\n",
      "diamond.yaml": "_base_: [a.yaml, b.yaml]\n",
      "other_way.yaml": "_base_: [b.yaml, a.yaml]\n",
      "conflict.yaml": "_base_: [a.yaml, b.yaml, c.yaml]\n",
      "settled.yaml": "_base_: [a.yaml, b.yaml, c.yaml]\noptimizer: {lr: 0.3}\n",
    });
    expect((await files.load("diamond.yaml")).config).toMatchObject({ seed: 2, optimizer: { lr: 0.1 } });
    expect((await files.load("other_way.yaml")).config).toMatchObject({ seed: 2, optimizer: { lr: 0.1 } });
    expect((await files.load("settled.yaml")).config.optimizer.lr).toBe(0.3);
    expect(await files.report(files.load("conflict.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_CONFLICT: two bases set the same key differently
        at: ROOT/c.yaml:1:17 (optimizer.lr)
        1 | optimizer: {lr: 0.2}
          |                 ^
        inherited: ROOT/conflict.yaml:1:26 → ROOT/c.yaml
        expected: one value, or one base that inherits from the other: 0.1, at ROOT/b.yaml:2:17
        found: 0.2, at ROOT/c.yaml:1:17
        try: set the key in the file that names the two"
    `);
  });

  it("shows the chain of a circle, and the line that names a file that is not there", async () => {
    const files = new Files({
      "a.yaml": "_base_: sub/b.yaml\n",
      "sub/b.yaml": "seed: 1\n_base_: [../c.yaml]\n",
      "c.yaml": "_base_: a.yaml\n",
      "lost.yaml": "seed: 1\n_base_:\n  - nowhere.yaml\n",
      "wrong.yaml": "_base_: 3\n",
    });
    expect(await files.report(files.load("a.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_CYCLE: files inherit from each other in a circle
        at: ROOT/c.yaml:1:9 (_base_)
        1 | _base_: a.yaml
          |         ^
        inherited: ROOT/a.yaml:1:9 → ROOT/sub/b.yaml:2:10 → ROOT/c.yaml
        found: ROOT/a.yaml → ROOT/sub/b.yaml → ROOT/c.yaml → ROOT/a.yaml"
    `);
    expect(await files.report(files.load("lost.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_FILE: a config file cannot be read
        at: ROOT/lost.yaml:3:5 (_base_)
        3 |   - nowhere.yaml
          |     ^
        found: ROOT/nowhere.yaml: no such file"
    `);
    expect(await files.report(files.load("wrong.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_BASE: _base_ names no file
        at: ROOT/wrong.yaml:1:9 (_base_)
        1 | _base_: 3
          |         ^
        expected: a path, or a list of paths, relative to this file
        found: 3"
    `);
    expect(await files.report(files.load("absent.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_FILE: a config file cannot be read
        at: ROOT/absent.yaml
        found: no such file"
    `);
  });
});

describe("paths", () => {
  it("start from the file that wrote them, from the working folder for --set and variables", async () => {
    const files = new Files({
      "deep/base.yaml": small,
      "top.yaml": "_base_: deep/base.yaml\nmodel: {backbone: {pretrained: weights/a.safetensors}}\n",
      "env.yaml": '_base_: top.yaml\ndata: {dataset: {root: "${env:HERE}/data"}}\n',
    });
    const { config, origins } = await files.load("top.yaml");
    expect(config.data.dataset["root"]).toBe(files.path("deep/data"));
    expect(config.model.backbone["pretrained"]).toBe(files.path("weights/a.safetensors"));
    expect(originText(origins.get("data.dataset.root")!)).toBe(`${files.path("deep/base.yaml")}:6:33`);

    const options = { folder: "/cwd", env: { HERE: "here" }, set: ["init_from=x/y"] };
    const moved = (await files.load("env.yaml", options)).config;
    expect(moved.data.dataset["root"]).toBe("/cwd/here/data");
    expect(moved.init_from).toBe(join("/cwd", "x/y"));
  });
});

describe("environment variables", () => {
  const text = `${small}
  batch_size: "\${env:BATCH:-4}"
name: "run_\${env:WHO:-nobody}"
init_from: "\${env:START}"
`;

  it("fill strings, and are read as YAML where they are the whole value", async () => {
    const files = new Files({ "a.yaml": text });
    const one = (await files.load("a.yaml", { env: { START: "/s" } })).config;
    expect([one.data.batch_size, one.name, one.init_from]).toEqual([4, "run_nobody", "/s"]);
    const two = (await files.load("a.yaml", { env: { START: "null", BATCH: "16", WHO: "me" } })).config;
    expect([two.data.batch_size, two.name, two.init_from]).toEqual([16, "run_me", null]);
  });

  it("are a complaint where they are not set, unless the command needs no data", async () => {
    const files = new Files({ "a.yaml": text, "bad.yaml": `${text}seed: "\${env:1X}"\n` });
    expect(await files.report(files.load("a.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_ENV: the environment variable START is not set
        at: ROOT/a.yaml:10:12 (init_from)
        10 | init_from: "\${env:START}"
           |            ^
        found: "\${env:START}" (a string)
        try: export START=VALUE, or --set init_from=VALUE"
    `);
    const lenient = await files.load("a.yaml", { allowUnsetEnv: true });
    expect(lenient.config.init_from).toBe("${env:START}");
    expect(lenient.unset.map((variable) => variable.name)).toEqual(["START"]);
    expect(await files.report(files.load("bad.yaml"))).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_CONFIG_ENV: the environment variable START is not set
        at: ROOT/bad.yaml:10:12 (init_from)
        10 | init_from: "\${env:START}"
           |            ^
        found: "\${env:START}" (a string)
        try: export START=VALUE, or --set init_from=VALUE

      SEGFUSE_CONFIG_ENV_FORM: a reference to an environment variable is not well formed
        at: ROOT/bad.yaml:11:7 (seed)
        11 | seed: "\${env:1X}"
           |       ^
        expected: \${env:NAME} or \${env:NAME:-default}
        found: "\${env:1X}" (a string)"
    `);
  });

  it("do not matter in what an override replaced", async () => {
    const files = new Files({ "a.yaml": text });
    expect((await files.load("a.yaml", { set: ["init_from=null"] })).config.init_from).toBeNull();
  });
});

describe("--set", () => {
  it("reaches into maps, lists and defaults, and replaces a component whose type it changes", async () => {
    const files = new Files({ "a.yaml": `${small}\nhooks: []\n` });
    const set = [
      "model.backbone.width=0.5",
      "model.backbone.type=mobilenet_v2",
      "data.train.transforms.0.range=[1, 1]",
      "evaluation.flip=true",
      "data.dataset.classes.1=zebra",
      "name=text with = and spaces".replaceAll(" ", "_").replace("=_", "="),
    ];
    const { config } = await files.load("a.yaml", { set: set.slice(0, 5) });
    expect(config.model.backbone).toMatchObject({ type: "mobilenet_v2", width: 0.5 });
    expect(config.model.backbone).not.toHaveProperty("depth");
    expect(config.data.train.transforms[0]).toMatchObject({ type: "random_scale", range: [1, 1] });
    expect(config.data.train.transforms).toHaveLength(4);
    expect(config.evaluation.flip).toBe(true);
    expect(config.data.dataset["classes"]).toEqual(["a", "zebra"]);
  });

  it("names its own text where it is wrong", async () => {
    const files = new Files({ "a.yaml": small });
    const malformed = ["nothing", "a..b=1", "seed=[", "__proto__.x=1", "seed={constructor: 1}"];
    expect(await files.report(files.load("a.yaml", { set: malformed }))).toMatchInlineSnapshot(`
      "5 complaints

      SEGFUSE_CONFIG_SET: --set is not well formed
        at: --set nothing
        expected: a.b.0.c=VALUE
        found: nothing

      SEGFUSE_CONFIG_SET: --set is not well formed
        at: --set a..b=1
        expected: a.b.0.c=VALUE
        found: a..b=1

      SEGFUSE_CONFIG_SET: the value of --set is no YAML
        at: --set seed=[ (seed)
        found: [: unexpected end of the stream within a flow collection

      SEGFUSE_CONFIG_SET: '__proto__' is no key that a config can have
        at: --set __proto__.x=1

      SEGFUSE_CONFIG_SET: the value of --set is no YAML
        at: --set seed={constructor: 1} (seed)
        found: {constructor: 1}: Error: 'constructor' is no key that a config can have"
    `);
    const nowhere = [
      "data.train.transforms.9.range=[1, 1]",
      "data.dataset.classes.first=a",
      "seed.x=1",
      "model.0=1",
    ];
    expect(await files.report(files.load("a.yaml", { set: nowhere }))).toMatchInlineSnapshot(`
      "4 complaints

      SEGFUSE_CONFIG_SET_PATH: --set names no place: '9' is not in 'data.train.transforms'
        at: --set data.train.transforms.9.range=[1, 1] (data.train.transforms.9.range)
        expected: 0 to 3
        found: [{"type":"random_scale","range":[0.75,2]},{"type":"random_c… (a list of 4)

      SEGFUSE_CONFIG_SET_PATH: --set names no place: 'first' is not in 'data.dataset.classes'
        at: --set data.dataset.classes.first=a (data.dataset.classes.first)
        expected: an index, from 0
        found: ["a","b"] (a list of 2)

      SEGFUSE_CONFIG_SET_PATH: --set names no place: '0' is not in 'model'
        at: --set model.0=1 (model.0)
        expected: a list, which an index can name a part of
        found: {backbone, head} (a map)

      SEGFUSE_CONFIG_TYPE: 'seed' has a value of the wrong type
        at: --set seed.x=1 (seed)
        expected: an integer ≥ 0 and ≤ 9007199254740991
        found: {x} (a map)"
    `);
    const unknown = ["model.hed.channels=3", "optimizer.lr=fast"];
    expect(await files.report(files.load("a.yaml", { set: unknown }))).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_CONFIG_UNKNOWN_KEY: 'model' has no key 'hed'
        at: --set model.hed.channels=3 (model.hed)
        did you mean: head
        valid: num_classes, in_channels, align_corners, preprocess, norm, norm_groups, backbone, neck, head, auxiliary_head

      SEGFUSE_CONFIG_TYPE: 'lr' has a value of the wrong type
        at: --set optimizer.lr=fast (optimizer.lr)
        expected: a number > 0
        found: "fast" (a string)"
    `);
  });
});
