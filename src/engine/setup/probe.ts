import { runProcess, type ProcessOptions } from "./process.ts";

/** Whether an addon loads, and what it says of itself. */
export type ProbeResult =
  { works: true; version: string; gpu: boolean; log: string } | { works: false; reason: string; log: string };

/** Run by a fresh Node, so that a library that aborts (no AVX, for instance) does not take this process along. */
const script = `
const binding = require(process.argv[1]);
process.stdout.write("\\nPROBE" + JSON.stringify({ version: binding.TF_Version, gpu: binding.isUsingGpuDevice() }) + "\\n");
`;

/** Loads an addon in a process of its own, with TensorFlow's log in full. */
export async function probeAddon(
  addon: string,
  options: Pick<ProcessOptions, "onStart" | "env"> = {},
): Promise<ProbeResult> {
  const env = { TF_CPP_MIN_LOG_LEVEL: "0", NODE_OPTIONS: "", ...options.env };
  const { code, output } = await runProcess([process.execPath], ["-e", script, addon], { ...options, env });
  const answer = /^PROBE(.*)$/m.exec(output)?.[1];
  const log = output.replace(/^PROBE.*$/m, "").trim();
  if (code === 0 && answer !== undefined) {
    const { version, gpu } = JSON.parse(answer) as { version: string; gpu: boolean };
    return { works: true, version, gpu, log };
  }
  const reason = /^Error: (.*)$/m.exec(log)?.[1] ?? log.split("\n").at(-1) ?? "it ended without a word";
  return { works: false, reason, log };
}
