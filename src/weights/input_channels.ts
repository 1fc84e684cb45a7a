/** Channels of the images that published weights were trained on. */
const rgb = 3;

/** Whether a first convolution [out, in, kernel, kernel] of a file can be made to see another number of channels. */
export function isAdaptable(found: readonly number[], wanted: readonly number[]): boolean {
  return (
    found.length === 4 &&
    found[1] === rgb &&
    wanted[1] !== rgb &&
    found.every((size, axis) => axis === 1 || size === wanted[axis])
  );
}

/**
 * The weights of a first convolution that was trained on RGB, for images of another number of channels. The rule is
 * timm's (`adapt_input_conv`; Wightman, PyTorch Image Models): one channel gets the sum over the three, which gives what
 * the grey image three times would; of more, channel c gets the weights of channel c mod 3, and all are scaled by
 * 3 / channels, which keeps the size of what comes out.
 *
 * @param values [out, 3, kernel, kernel], as a file has them
 * @param out output channels
 * @param channels of the network's images
 * @returns [out, channels, kernel, kernel]
 */
export function adaptInput(values: Float32Array, out: number, channels: number): Float32Array {
  const area = values.length / (out * rgb);
  const adapted = new Float32Array(out * channels * area);
  // Rounded as PyTorch does, so that the numbers are the same.
  const scale = Math.fround(rgb / channels);
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < channels; c++) {
      const to = (o * channels + c) * area;
      const from = (o * rgb + (c % rgb)) * area;
      for (let k = 0; k < area; k++)
        adapted[to + k] =
          channels === 1
            ? Math.fround(values[from + k]! + values[from + area + k]!) + values[from + 2 * area + k]!
            : values[from + k]! * scale;
    }
  }
  return adapted;
}

/** What was done, for the log. */
export function adaptionNote(name: string, channels: number): string {
  const rule =
    channels === 1
      ? "the sum over its three, as for a grey image in each of them"
      : `its three in turn, scaled by 3/${channels} (timm's rule)`;
  return `${name} is for RGB, and the network has ${channels} input ${channels === 1 ? "channel" : "channels"}: ${rule}`;
}
