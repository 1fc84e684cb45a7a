import { beforeAll, describe } from "vitest";
import { useEngine } from "../../helpers/engine.ts";
import { compareWithPyTorch } from "./cases.ts";

// What TensorFlow's CPU lacks without oneDNN (dilated depthwise convolutions, dilated gradients) has other forms.
describe("operations on tensorflow without oneDNN against PyTorch", () => {
  beforeAll(async () => {
    process.env.TF_ENABLE_ONEDNN_OPTS = "0";
    await useEngine();
  });
  compareWithPyTorch();
});
