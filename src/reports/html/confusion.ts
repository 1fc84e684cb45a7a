import { columns } from "../../util/printable.ts";
import { cutText } from "../../util/terminal.ts";
import { html, type Markup } from "./markup.ts";

/** Up to here cells have room for their number. */
export const mostNumbered = 24;

/** In letters; wide ones are two. */
const longestName = 20;

/**
 * The confusion matrix as a heat map: a row is a label, its cells are where its pixels went. The diagonal is
 * right (blue), the rest wrong (orange); strength is the share of the row. Cells below 0.1 % are left out.
 *
 * @param shown numbers of the classes that are drawn; shares are of all of a label's pixels
 */
export function confusionMap(
  confusion: readonly (readonly number[])[],
  classes: readonly string[],
  shown: readonly number[],
): Markup {
  const count = shown.length;
  const numbered = count <= mostNumbered;
  const cell = numbered ? 36 : 16;
  const margin = 12 + 6.4 * Math.max(...shown.map((c) => Math.min(columns(classes[c]!), longestName)));
  const size = margin + count * cell + 4;
  const cells = shown.flatMap((label, r) => {
    const row = confusion[label]!;
    const total = row.reduce((sum, n) => sum + n, 0);
    return shown.flatMap((prediction, c) => {
      const share = total === 0 ? 0 : row[prediction]! / total;
      if (share < 0.001) return [];
      const [x, y] = [margin + c * cell, margin + r * cell];
      const colour = label === prediction ? "var(--accent)" : "var(--wrong)";
      const title = `${classes[label]} → ${classes[prediction]}: ${(100 * share).toFixed(2)} %`;
      return html`<g
        ><title>${title}</title
        ><rect
          x="${fixed(x + 1)}"
          y="${fixed(y + 1)}"
          width="${cell - 2}"
          height="${cell - 2}"
          rx="${numbered ? 4 : 2}"
          fill="${colour}"
          fill-opacity="${opacity(share)}"
        />${
          numbered && share >= 0.005
            ? html`<text x="${fixed(x + cell / 2)}" y="${fixed(y + cell / 2 + 4)}" text-anchor="middle"
                >${Math.round(100 * share)}</text
              >`
            : null
        }</g
      >`;
    });
  });
  const names = shown.map((c, i) => {
    const middle = margin + i * cell + cell / 2 + 4;
    const text = cutText(classes[c]!, longestName);
    return html`<text class="soft" x="${fixed(margin - 8)}" y="${fixed(middle)}" text-anchor="end"
        >${text}</text
      ><text class="soft" transform="translate(${fixed(middle)} ${fixed(margin - 8)}) rotate(-90)"
        >${text}</text
      >`;
  });
  return html`<svg
    width="${fixed(size)}"
    height="${fixed(size)}"
    viewBox="0 0 ${fixed(size)} ${fixed(size)}"
    role="img"
    aria-label="confusion matrix"
  >
    <rect
      x="${fixed(margin)}"
      y="${fixed(margin)}"
      width="${count * cell}"
      height="${count * cell}"
      rx="4"
      fill="var(--line)"
      fill-opacity="0.35"
    />
    ${names}${cells}
  </svg>`;
}

function opacity(share: number): string {
  return (0.08 + 0.8 * Math.sqrt(share)).toFixed(3);
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
