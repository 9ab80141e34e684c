"""Command line of the bed: read the flags, plant the seed, serve until told to stop."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from types import FrameType

os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # 1,300 images nobody asks for

from . import live, planter
from .bed import Bed
from .http_server import Server
from .server import App

HOST = "127.0.0.1"


def read_flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="start.py", description="Local AWS test bed for Bedrock security tooling")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    parser.add_argument("--seed", choices=planter.SEEDS, default="none", help="the account to plant at the start")
    parser.add_argument("--scale", type=int, default=0, help="so many more jobs and models in the seed account")
    parser.add_argument("--live", action="store_true", help="make the seeded account move by itself")
    parser.add_argument("--live-seconds", type=float, default=5.0, help="seconds between two steps of --live")
    parser.add_argument("--until-stdin-closes", action="store_true", help="exit when standard input ends")
    parser.add_argument("--random-seed", type=int, default=7, help="for identifiers and percentages of faults")
    parser.add_argument("--lookup-tps", type=float, default=0.0, help="LookupEvents calls per second; 0: no limit")
    parser.add_argument("--trail-delay", type=float, default=0.0, help="seconds before an event can be looked up")
    parser.add_argument(
        "--job-seconds", type=float, default=0.0, help="jobs complete by themselves after this; 0: never"
    )
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every call")
    parser.add_argument("--no-record", action="store_true", help="do not write calls down as CloudTrail events")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


def leave(signum: int = 0, frame: FrameType | None = None) -> None:
    """Nothing of the bed outlives the process, so there is nothing to tidy up."""
    os._exit(0)


def leave_when_stdin_closes() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    leave()


def main() -> None:
    args = read_flags()
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    if args.until_stdin_closes:
        threading.Thread(target=leave_when_stdin_closes, daemon=True).start()
    logging.basicConfig(level=logging.INFO if args.verbose else logging.WARNING)
    bed = Bed(
        args.random_seed,
        lookup_tps=args.lookup_tps,
        trail_delay=args.trail_delay,
        job_seconds=args.job_seconds,
        latency_ms=args.latency_ms,
        record=not args.no_record,
    )
    app = App(bed)
    server = Server(HOST, args.port, app)
    os.environ["MOTO_PORT"] = str(server.server_port)
    planter.plant(app, args.seed, args.scale)
    if args.live:
        threading.Thread(target=live.run, args=(bed, args.live_seconds), daemon=True).start()
    print(f"bed ready http://{HOST}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
