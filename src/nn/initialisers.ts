import type { Initialiser } from "./parameter.ts";

/** All zeros: biases, running means. */
export const zeros: Initialiser = (shape) => new Float32Array(sizeOf(shape));

/** All ones: batch normalisation's weight, running variances. */
export const ones: Initialiser = (shape) => new Float32Array(sizeOf(shape)).fill(1);

/** Normal with mean 0: classifiers and gates use `normal(0.01)`. */
export function normal(standardDeviation: number): Initialiser {
  return (shape, random) => {
    const values = new Float32Array(sizeOf(shape));
    // Both numbers of each Box-Muller pair are used: a ResNet-101 has tens of millions of weights.
    for (let i = 0; i < values.length; i += 2) {
      const radius = standardDeviation * Math.sqrt(-2 * Math.log(1 - random.uniform()));
      const angle = 2 * Math.PI * random.uniform();
      values[i] = radius * Math.cos(angle);
      if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
    }
    return values;
  };
}

/**
 * He et al. 2015, fan-out mode, as torchvision initialises convolutions: normal with standard deviation
 * √(2 / (kh·kw·out)). For kernels [kh, kw, in, out].
 */
export const kaimingNormalFanOut: Initialiser = (shape, random) => {
  const [height = 1, width = 1, , out = 1] = shape;
  return normal(Math.sqrt(2 / (height * width * out)))(shape, random);
};

/**
 * The same for depthwise kernels [kh, kw, C, m]. PyTorch counts all C·m output channels as fan-out although
 * each input channel reaches m of them only; weights here start as they do there.
 */
export const kaimingNormalFanOutDepthwise: Initialiser = (shape, random) =>
  normal(Math.sqrt(2 / sizeOf(shape)))(shape, random);

/** Normal with mean 0, drawn again where it is beyond ±2 (PyTorch's and timm's `trunc_normal_`). */
export function truncatedNormal(standardDeviation: number): Initialiser {
  return (shape, random) => {
    const draw = (): number => {
      const value = standardDeviation * random.normal();
      return Math.abs(value) > 2 ? draw() : value;
    };
    return Float32Array.from({ length: sizeOf(shape) }, draw);
  };
}

/** Glorot and Bengio 2010, for weights [out, in]: uniform within ±√(6 / (in + out)). */
export const xavierUniform: Initialiser = (shape, random) => {
  const [out = 1, inputs = 1] = shape;
  const bound = Math.sqrt(6 / (inputs + out));
  return Float32Array.from({ length: sizeOf(shape) }, () => random.between(-bound, bound));
};

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}
