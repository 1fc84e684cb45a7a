"""Runs a command on a terminal of its own, as the leader of its session, and tells how its processes ended.

    python3 terminal.py COMMAND [ARGUMENT...]

Standard input has one act a line: `key 03` types a character (hexadecimal), `close` closes the terminal, `kill TERM`
sends a signal to the command's own process. Standard output is what the terminal shows, then one line for the command
and one for each process that outlived its parent, in the order in which they ended: `command ended with 143`, minus the
number of a signal where that ended it.
"""

import ctypes
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios

PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    sources = [terminal, sys.stdin.fileno()]
    while True:
        for source in select.select(sources, [], [], 0.05)[0]:
            if source != terminal:
                data = os.read(source, 4096)
                if not data:
                    sources.remove(source)
                for act in data.decode().splitlines():
                    obey(act, child, terminal)
                    if act == "close":
                        sources.remove(terminal)
                continue
            try:
                write(os.read(terminal, 65536))
            except OSError:  # every process on it has ended
                sources.remove(terminal)
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid != 0:
            who = "command" if pid == child else "orphan"
            write(f"\n{who} ended with {os.waitstatus_to_exitcode(status)}\n".encode())


def obey(act: str, child: int, terminal: int) -> None:
    verb, _, value = act.partition(" ")
    if verb == "key":
        os.write(terminal, bytes.fromhex(value))
    elif verb == "close":
        os.close(terminal)
    else:
        os.kill(child, getattr(signal, f"SIG{value}"))


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


main(sys.argv[1:])
