import { describe, expect, it } from "vitest";
import { segfuse } from "../helpers/cli.ts";

// `segfuse cost` as a user runs it: no engine, no data.

const env = { SEGFUSE_CITYSCAPES: undefined, SEGFUSE_TENSORFLOW: "/nowhere" };

describe("segfuse cost", () => {
  it("prints a network's parts", async () => {
    const { code, stdout, stderr } = await segfuse(["cost", "configs/table1/gff.yaml"], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatchInlineSnapshot(`
      "table1_gff, one image of 512×512 (height × width)

      Part           | Parameters |      mac | Activations
      ---------------+------------+----------+------------
      backbone       | 42,519,392 | 178.50 G |  1784.8 MiB
      head.context   | 23,073,792 |  77.36 G |   112.6 MiB
      neck           |  5,708,804 |  38.66 G |   296.4 MiB
      head           |     29,203 |   0.48 G |    60.1 MiB
      total          | 71,331,191 | 295.00 G |  2253.9 MiB
      auxiliary_head |  2,364,691 |   9.68 G |    31.6 MiB

      The auxiliary head works in training alone and is not in the total.
      mac: multiply-adds of convolutions.
      Activations: what a training step keeps of one image for its gradients.
      Inference on one image holds 380.4 MiB at most beside 272.1 MiB of weights.
      "
    `);
  });

  it("prints the paper's Table 3 beside ours", async () => {
    const { code, stdout } = await segfuse(["cost", "configs/studies/table3.yaml"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "GFF: Table 3, computational cost

      Method                      | Parameters |     + | paper, M |    + |      mac |     2mac |      + | paper, G |     +
      ----------------------------+------------+-------+----------+------+----------+----------+--------+----------+------
      PSPNet (baseline)           |    65.60 M |       |     65.6 |      | 255.90 G | 511.80 G |        |    580.1 |
      + GFF                       |    71.33 M | +5.73 |     69.7 | +4.1 | 295.00 G | 590.00 G | +78.20 |    600.1 | +20.0
      + GFF + DFP                 |    72.40 M | +6.80 |     70.5 | +4.9 | 302.89 G | 605.79 G | +93.99 |    625.5 | +45.4
      + GFF (nearest count)       |    69.95 M | +4.35 |     69.7 | +4.1 | 282.91 G | 565.83 G | +54.03 |    600.1 | +20.0
      + GFF + DFP (nearest count) |    70.76 M | +5.16 |     70.5 | +4.9 | 296.18 G | 592.35 G | +80.55 |    625.5 | +45.4

      one image of 512×512 (height × width), without auxiliary heads. +: over PSPNet (baseline).
      mac: multiply-adds of convolutions.
      2mac: 2 × multiply-adds of convolutions. The paper does not say what it counts.
      "
    `);
  });

  it("prints exact counts as one JSON document", async () => {
    const options = [
      "--json",
      "--size",
      "96x160",
      "--convention",
      "2mac",
      "--set",
      "model.backbone.depth=50",
    ];
    const { code, stdout } = await segfuse(["cost", "configs/table1/pspnet.yaml", ...options], { env });
    expect(code).toBe(0);
    const counted = JSON.parse(stdout) as Record<string, unknown>;
    expect(counted).toMatchObject({ input: [96, 160], convention: "2mac" });
    expect(counted["parameters"]).toEqual({
      total: 46_610_803,
      backbone: 23_527_264,
      "head.context": 23_073_792,
      neck: 0,
      head: 9747,
      auxiliary_head: 2_364_691,
    });
  });

  it.each(["512", "0x512"])("refuses --size %s", async (size) => {
    const { code, stderr } = await segfuse(["cost", "configs/table1/pspnet.yaml", `--size=${size}`]);
    expect(code).toBe(2);
    expect(stderr).toContain("HEIGHTxWIDTH in pixels is expected");
  });
});
