import { fstatSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";

/**
 * Whether whoever started this process wants it to outlive its terminal: `nohup`, or a script that ignores SIGHUP.
 *
 * Node puts every ignored signal back to its default as it starts, and so does each npm on the way here, so that the
 * system itself no longer says so. What is left are three signs, of which any one counts:
 * - the standard input that nohup gives to what it takes off a terminal: /dev/null, opened for writing only;
 * - the program's name that shells put into the environment, which npm and `sh` hand on: `_=/usr/bin/nohup`;
 * - a process above this one, of the same session, that ignores SIGHUP still: `nohup sh job.sh`, `trap '' HUP`.
 */
export function isHangupIgnored(): boolean {
  return basename(process.env._ ?? "") === "nohup" || hasInputOfNohup() || hasDeafAncestor();
}

/** Makes what {@link isHangupIgnored} says true again, as it was before Node started. */
export function keepHangupIgnored(): void {
  if (isHangupIgnored()) process.on("SIGHUP", () => {});
}

function hasInputOfNohup(): boolean {
  try {
    if (fstatSync(0).rdev !== statSync("/dev/null").rdev) return false;
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync("/proc/self/fdinfo/0", "utf8"))![1]!;
    return (Number.parseInt(flags, 8) & 3) === 1; // O_ACCMODE, O_WRONLY
  } catch {
    return false; // no standard input, or no Linux
  }
}

function hasDeafAncestor(): boolean {
  try {
    const { session, parent } = readProcess(process.pid);
    for (let at = readProcess(parent); at.session === session; at = readProcess(at.parent))
      if (at.ignoresHangup) return true;
  } catch {
    // the top of the tree, a process that has ended, or no Linux
  }
  return false;
}

function readProcess(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name may hold spaces and brackets: state, parent, group and session come after its last bracket.
  const [, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ignored = /^SigIgn:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!;
  const ignoresHangup = (BigInt(`0x${ignored}`) & 1n) === 1n; // SIGHUP is signal 1, the lowest bit
  return { parent: Number(parent), session, ignoresHangup };
}
