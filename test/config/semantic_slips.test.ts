import { expect, it } from "vitest";
import { Files, small } from "./files.ts";

it("values that are valid one by one and make no sense are refused", async () => {
  const files = new Files({
    "small.yaml": small,
    "a.yaml": `
_base_: small.yaml
model:
  auxiliary_head: [{type: fcn, level: 3}, {type: fcn, level: 5}]
  head: {losses: [{type: cross_entropy, class_weights: [0, 0]}]}
  preprocess: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
`,
    "scaled.yaml": "_base_: small.yaml\nmodel: {preprocess: {mean: [0, 0, 0], std: [1, 1, 1]}}\n",
  });
  expect(await files.report(files.load("a.yaml"))).toMatchInlineSnapshot(`
    "3 complaints

    SEGFUSE_AUXILIARY_LEVEL: an auxiliary head sees a level that is not there
      at: ROOT/a.yaml:4:62 (model.auxiliary_head.1.level)
      4 |   auxiliary_head: [{type: fcn, level: 3}, {type: fcn, level: 5}]
        |                                                              ^
      expected: 1 to 4, the levels of the backbone 'resnet'
      found: 5

    SEGFUSE_CLASS_WEIGHTS: class weights that are all 0 leave nothing to learn from
      at: ROOT/a.yaml:5:56 (model.head.losses.0.class_weights)
      5 |   head: {losses: [{type: cross_entropy, class_weights: [0, 0]}]}
        |                                                        ^
      expected: a number above 0 among them
      found: [0,0]

    SEGFUSE_PREPROCESS: mean and std are those of pixels from 0 to 1
      at: ROOT/a.yaml:6:50 (model.preprocess.std)
      6 |   preprocess: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}
        |                                                  ^
      expected: those of pixels from 0 to 255, which is what images are read as
      found: [0.229,0.224,0.225]
      try: [58.395,57.12,57.375]"
  `);
  await expect(files.load("scaled.yaml")).resolves.toBeDefined();
});

it("a crop must have the cells that the context pools to, and without one a single cell", async () => {
  const files = new Files({ "small.yaml": small });
  const crop = (side: number, context: string) =>
    files.load("small.yaml", {
      set: ["model.neck.type=gff", `model.head.context=${context}`, `data.crop_size=[${side}, ${side}]`],
    });
  const refused = { complaints: [expect.objectContaining({ code: "SEGFUSE_CROP_SIZE" })] };
  await expect(crop(47, "{type: ppm}")).rejects.toMatchObject(refused);
  await expect(crop(48, "{type: ppm}")).resolves.toBeDefined();
  await expect(crop(15, "{bins: [1, 2]}")).rejects.toMatchObject(refused);
  await expect(crop(16, "{bins: [1, 2]}")).resolves.toBeDefined();
  await expect(crop(7, "{type: none}")).rejects.toMatchObject(refused);
  await expect(crop(8, "{type: none}")).resolves.toBeDefined();
});
