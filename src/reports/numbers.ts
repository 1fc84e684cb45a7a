/** How numbers look in every table: scores as per cent with two decimals, a dash where there is none. */

const NONE = "–";

/** A fraction as per cent: 0.786 → `78.60`. */
export function percent(score: number | null | undefined): string {
  return score === null || score === undefined ? NONE : (100 * score).toFixed(2);
}

/** A number that is in per cent already: 78.6 → `78.60`. */
export function inPercent(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toFixed(2);
}

/** A difference in per cent points, with its sign: 1.8 → `+1.80`. */
export function points(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const text = value.toFixed(2);
  return value > 0 && text !== "0.00" ? `+${text}` : text.replace(/^-0\.00$/, "0.00").replace("-", "−");
}

/** Mean and standard deviation over seeds: `43.02 ± 0.31`; the mean alone for one seed. */
export function spreadPercent(value: { mean: number | null; sd: number | null } | undefined): string {
  if (value === undefined || value.mean === null) return NONE;
  return value.sd === null ? percent(value.mean) : `${percent(value.mean)} ± ${percent(value.sd)}`;
}

/** A whole number with thin groups of three: 48975494 → `48,975,494`. */
export function grouped(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toLocaleString("en-US");
}

/** Parameters in millions: 48975494 → `48.98 M`. */
export function millions(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : `${(value / 1e6).toFixed(2)} M`;
}
