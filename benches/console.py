#!/usr/bin/env python3
"""Measures the console from outside, in a pseudo-terminal: time to the first frame, resident
memory, bytes written while idle and per cursor move. Python's standard library only.

    cargo build --release
    python3 benches/console.py [--size 120x40] [--runs 20] path/to/bedwatch [ARGUMENTS]

ARGUMENTS go to the program (default: --demo). Prints medians and extremes.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time


class Run:
    """One console in a pty."""

    def __init__(self, binary: str, args: list[str], columns: int, rows: int, home: str):
        self.began = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {"TERM": "xterm-256color", "HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
            env |= {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
            # The size has to be right before the program asks for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(binary, [binary, *args], env)

    def read(self, seconds: float) -> bytes:
        """Everything that comes within so many seconds."""
        end, out = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if ready:
                try:
                    out += os.read(self.fd, 1 << 16)
                except OSError:
                    break
        return out

    def first_frame(self) -> float:
        """Milliseconds from exec to the first frame's last byte: the product's name is on the screen."""
        out = b""
        while b"bedwatch" not in out and b"Posture" not in out:
            ready, _, _ = select.select([self.fd], [], [], 10)
            if not ready:
                raise SystemExit("no frame within 10 s")
            out += os.read(self.fd, 1 << 16)
        return (time.monotonic() - self.began) * 1000

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def resident_mib(self) -> float:
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        return kib / 1024

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
        self.read(1)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def line(what: str, values: list[float], unit: str) -> None:
    low, mid, high = min(values), statistics.median(values), max(values)
    print(f"{what:<44} median {mid:>9.1f} {unit:<6} (min {low:.1f}, max {high:.1f}, n={len(values)})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--settle", type=float, default=4.0, help="seconds until an account is read")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    columns, rows = map(int, options.size.split("x"))
    args = options.args or ["--demo"]
    with tempfile.TemporaryDirectory() as home:
        frames = []
        for _ in range(options.runs):
            run = Run(options.binary, args, columns, rows, home)
            frames.append(run.first_frame())
            run.stop()
        line("exec to first frame", frames, "ms")

        run = Run(options.binary, args, columns, rows, home)
        run.first_frame()
        run.read(options.settle)
        line("resident memory after reading", [run.resident_mib()], "MiB")
        run.send("2")
        run.read(1)
        moves = []
        for keys in ["j"] * 12 + ["k"] * 8:
            run.send(keys)
            # why a short window: it holds the move and hardly ever a tick of an age beside it.
            moves.append(float(len(run.read(0.25))))
        line("bytes per cursor move", moves, "bytes")
        run.send("p")
        run.read(2)
        idle = [float(len(run.read(1))) for _ in range(20)]
        line("bytes per idle second, reading paused", idle, "bytes")
        run.stop()


if __name__ == "__main__":
    sys.exit(main())
