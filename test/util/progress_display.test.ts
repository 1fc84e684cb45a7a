import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { columns } from "../../src/util/printable.ts";
import { barLine, ProgressDisplay } from "../../src/util/progress_display.ts";

const state = {
  task: "[3/8] gff train",
  done: 150,
  total: 200,
  details: "loss 1.234  0:30 left, study 12:00",
};

/** What a terminal of so many columns is told. */
function terminal(width: number) {
  let written = "";
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      written += chunk.toString();
      done();
    },
  });
  const tty = Object.assign(stream, { isTTY: true, columns: width }) as unknown as NodeJS.WriteStream;
  return { tty, text: () => written };
}

/** The lines that a terminal shows in full, and those of which it leaves the end out (DECAWM off, ESC [?7l). */
function shownBy(text: string, width: number): { whole: string[]; cut: string[] } {
  const [whole, cut]: string[][] = [[], []];
  let wraps = true;
  // eslint-disable-next-line no-control-regex -- what is meant
  for (const [part] of text.matchAll(/\x1b\[\?7[hl]|\x1b\[[?\d;]*[A-Za-z]|[^\x1b\r\n]+|[\r\n]/g)) {
    if (part === "\x1b[?7h" || part === "\x1b[?7l") wraps = part.endsWith("h");
    else if (part.trim() !== "" && !part.startsWith("\x1b"))
      (wraps || columns(part) <= width ? whole : cut)!.push(part);
  }
  return { whole: whole!, cut: cut! };
}

it("log lines above a bar are whole, however long, also those just before its end", async () => {
  const { tty, text } = terminal(80);
  const display = new ProgressDisplay({ stream: tty });
  const lines = ["a", "b", "c"].map(
    (name) => `${name} line of ${"many words ".repeat(12)}with ${name}'s end`,
  );
  display.update(state);
  display.info(lines[0]!);
  display.warn(lines[1]!);
  await new Promise((resolve) => setTimeout(resolve, 500));
  display.update({ ...state, done: 200 });
  display.info(lines[2]!);
  display.stop();
  display.info("after the bar");
  const { whole, cut } = shownBy(text(), 80);
  expect(cut).toEqual([]);
  expect(whole).toEqual(
    expect.arrayContaining([lines[0], `warning: ${lines[1]}`, barLine(state, 80), lines[2], "after the bar"]),
  );
  // Modes are left alone, which a killed run could not set back: lines wrap, the cursor is shown.
  // eslint-disable-next-line no-control-regex -- what is meant
  expect(text()).not.toMatch(/\x1b\[\?(7|25)l/);
});

it("a bar fits its terminal: where it is narrow the bar goes first, then the end of the task", () => {
  const lines = [120, 80, 68, 60].map((width) => {
    const line = barLine(state, width);
    expect(columns(line)).toBeLessThan(width);
    return line;
  });
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "[3/8] gff train ██████████████████░░░░░░ 150/200 loss 1.234  0:30 left, study 12:00
    [3/8] gff train ███████████████░░░░░ 150/200 loss 1.234  0:30 left, study 12:00
    [3/8] gff train ██████░░ 150/200 loss 1.234  0:30 left, study 12:00
    [3/8] gff train 150/200 loss 1.234  0:30 left, study 12:00"
  `);
});
