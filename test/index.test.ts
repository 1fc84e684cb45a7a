import { readFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import * as api from "../src/index.ts";
import { TinyRun } from "./helpers/tiny_run.ts";

const run = new TinyRun();
afterAll(() => run.remove());

it("exports what plug-ins and programs may rely on", () => {
  const names = Object.keys(api).sort((a, b) => a.localeCompare(b, "en"));
  expect(names.join(" ").replaceAll(/(.{80,100}) /g, "$1\n")).toMatchInlineSnapshot(`
    "adaptiveAvgPool addResidual apiVersion AuxiliaryHead Backbone BatchNorm2d build componentName
    componentRef composeNeck concatResized ConfigError ContextModule contextOption conv2d Conv2d
    convBnRelu ConvBnRelu convOfConcat countCost createRegistry defineAuxiliaryHead defineBackbone
    defineContext defineDataset defineHead defineHook defineLoss defineMetric defineNameMap defineNeck
    defineOptimizer defineSchedule defineTransform defineVectorLoss depthwiseConv2d DepthwiseConv2d
    Dropout2d DropPath errorCodes evaluate fitImage fusionOptions gateOptions gelu Gelu GroupNorm Head
    kaimingNormalFanOut kinds LayerNorm Linear loadConfig loadStudy lossesOption makeNorm materialise
    maxPool meanOfClasses Module MultiHeadAttention nanMean Neck NetworkContext Norm normal ones
    openEngine Parameter pathOption PositionEmbedding predict pretrainedOptionNames pretrainedOptions
    Random readImage Relu Relu6 resizeBicubic resizeBilinear resizeLike resizeTo runTokens samePadding
    SegfuseError Segmentor sequential softmaxCrossEntropy stderrLogger stringifyConfig sumResized tf
    train truncatedNormal Type xavierUniform zeros"
  `);
});

it("loads, counts, builds, trains, evaluates and predicts, with the numbers of the run", async () => {
  const loaded = await api.loadConfig(run.config, { set: ["schedule.iterations=6"] });
  const cost = await api.countCost(loaded, { size: [32, 32] });

  const network = await api.build(loaded);
  expect(network.numClasses).toBe(3);
  const logits = network.forward(api.tf.zeros([2, 40, 48, 3]));
  expect(logits.shape).toEqual([2, 40, 48, 3]);
  const trained = [...network.namedParameters()].filter(
    ([name, { trainable }]) => trainable && !name.startsWith("auxiliary_head"),
  );
  const count = trained.reduce((sum, [, { shape }]) => sum + api.tf.util.sizeFromShape([...shape]), 0);
  expect([cost.input, cost.parameters.total]).toEqual([[32, 32], count]);
  logits.dispose();
  network.dispose();

  const phases: string[] = [];
  const result = await api.train(loaded, {
    workDir: run.path("work"),
    onProgress: ({ phase, iteration, iterations }) => phases.push(`${phase} ${iteration}/${iterations}`),
  });
  expect(phases.filter((line) => line.startsWith("train"))).toEqual(
    [1, 2, 3, 4, 5, 6].map((iteration) => `train ${iteration}/6`),
  );
  expect(result).toMatchObject({ workDir: run.path("work"), iterations: 6, best: { metric: "mIoU" } });

  // The validation split is also what is tested, and a work folder stands for its best checkpoint.
  const report = await api.evaluate(loaded, result.workDir, { outDir: run.path("report") });
  expect(report.metrics.mIoU).toBe(result.best!.value);
  expect(report.parameters).toBe(count);
  expect(report.checkpoint!.iteration).toBe(result.best!.iteration);
  expect(JSON.parse(readFileSync(run.path("report/report.json"), "utf8"))).toEqual(report);

  const images = [0, 1, 2].map((i) => `${run.data}/images/val/${i}.png`);
  const predictions = await api.predict(loaded, result.workDir, images);
  expect(predictions.map(({ image }) => image)).toEqual(images);
  // The predictions have the confusion matrix's columns.
  const predicted = [0, 0, 0];
  for (const { height, width, classes, info } of predictions) {
    expect([height, width, classes.length]).toEqual([40, 48, 40 * 48]);
    expect(info.classes).toEqual(["ground", "box", "sky"]);
    for (const label of classes) predicted[label]!++;
  }
  const columns = [0, 1, 2].map((c) => report.confusion.reduce((sum, row) => sum + row[c]!, 0));
  expect(predicted).toEqual(columns);
});

it("takes components of the program's own", async () => {
  const registry = api.createRegistry();
  const mean = api.defineNeck({
    type: "mean",
    description: "the mean of all levels",
    schema: api.Type.Object({ channels: api.Type.Integer({ default: 8 }) }),
    create({ channels }, { levels }, context) {
      const reduce = levels.map(({ channels: from }) =>
        api.convBnRelu(context, { kernel: 1, in: from, out: channels }),
      );
      const outputs = [{ channels, stride: levels[0]!.stride }];
      const forward = (tensors: api.NeckTensors) => {
        const maps = reduce.map((conv, l) => conv.forward(tensors.levels[l]!));
        const [, height, width] = maps[0]!.shape;
        return [api.tf.div<api.tf.Tensor4D>(api.sumResized(maps, [height, width], context), maps.length)];
      };
      return api.composeNeck({ modules: { reduce }, outputs, forward });
    },
  });
  registry.register(mean);
  const loaded = await api.loadConfig(run.config, {
    registry,
    set: ["model.neck={type: mean, channels: 6}"],
  });
  expect(loaded.registry.get("neck", "mean").schema).toBe(mean.schema);
  const { parameters } = await api.countCost(loaded, { size: [32, 32] });
  // Levels of 4, 8, 16 and 32 channels to 6 by 1×1 convolutions without bias, and 2 · 6 of each batch norm.
  expect(parameters.neck).toBe((4 + 8 + 16 + 32) * 6 + 4 * 2 * 6);
});

it("says what is wrong by code", async () => {
  const loaded = await api.loadConfig(run.config);
  const calls = [
    () => api.loadConfig(run.config, { set: ["model.neck.type=gfff"] }),
    () => api.loadConfig(run.path("absent.yaml")),
    async () => api.build(await api.loadConfig(run.config, { set: ["init_from=absent.safetensors"] })),
    () => api.evaluate(loaded, run.path("absent")),
    () => api.predict(loaded, run.path("absent"), [run.config]),
    () => api.train(loaded, { workDir: run.data }),
  ];
  const codes: string[] = [];
  for (const call of calls) {
    const error: unknown = await call().then(
      () => "nothing was thrown",
      (reason: unknown) => reason,
    );
    codes.push(error instanceof api.SegfuseError ? error.code : String(error));
  }
  expect(codes).toMatchInlineSnapshot(`
    [
      "SEGFUSE_CONFIG_UNKNOWN_TYPE",
      "SEGFUSE_CONFIG_FILE",
      "SEGFUSE_CHECKPOINT",
      "SEGFUSE_CHECKPOINT",
      "SEGFUSE_CHECKPOINT",
      "SEGFUSE_WORK_DIR_NOT_EMPTY",
    ]
  `);
});
