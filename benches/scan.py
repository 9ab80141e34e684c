#!/usr/bin/env python3
"""How long a scan takes, how many calls it makes, and how that compares with the bare calls.

    python3 benches/scan.py --runs 5 target/release/bedwatch [--scale 2000]

Starts the test bed, runs `bedwatch scan` on it, and prints wall time, CPU time and peak memory of the process and
the calls that reached the bed. Then it sends the very same requests again from a bare concurrent loop (threads, one
kept-open connection each, nothing parsed), and prints the ratio. AWS allows two LookupEvents a second for an account
and region; the loop keeps to that too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import queue
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 24
LOOKUP_PAUSE = 0.5  # seconds: AWS's limit


def control(url: str, route: str, method: str = "GET", doc: Any = None) -> Any:
    body = None if doc is None else json.dumps(doc).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_bed/{route}", body, method=method), timeout=300) as got:
        return json.load(got)


def scan(binary: str, url: str) -> tuple[float, float, float]:
    """Wall and CPU seconds, and peak memory in MB, of one scan."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "HOME": home,
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "ONCALLREADONLY",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        command = [binary, "scan", "--endpoint-url", url, "-M", "json", "-o", home]
        started = time.monotonic()
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 3, 4):
        sys.exit(f"the scan ended with {child.returncode}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def bare(url: str, requests: list[dict[str, Any]]) -> float:
    """Seconds that the same requests take from a loop that does nothing else."""
    work: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    slow: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for request in requests:
        (slow if request["operation"] == "cloudtrail:LookupEvents" else work).put(request)
    host = urlsplit(url).netloc

    def send(work: queue.SimpleQueue[dict[str, Any]], pause: float) -> None:
        connection = http.client.HTTPConnection(host, timeout=60)
        while True:
            try:
                request = work.get_nowait()
            except queue.Empty:
                return
            time.sleep(pause)
            connection.request(
                request["method"], request["target"], request["body"].encode("latin-1") or None, request["headers"]
            )
            connection.getresponse().read()

    threads = [threading.Thread(target=send, args=(work, 0)) for _ in range(WORKERS)]
    threads.append(threading.Thread(target=send, args=(slow, LOOKUP_PAUSE)))
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--scale", type=int, default=0, help="so many more jobs and models")
    args = parser.parse_args()
    bed = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/bed/start.py"), "--seed", "orion", "--scale", str(args.scale)]
        + ["--no-record", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert bed.stdout and bed.stdin
    url = bed.stdout.readline().split()[-1]
    try:
        rows, loops = [], []
        for _ in range(args.runs):
            control(url, "calls", "DELETE")
            rows.append(scan(args.binary, url))
        calls = control(url, "calls")
        control(url, "config", "POST", {"keep_requests": True})
        control(url, "calls", "DELETE")
        scan(args.binary, url)
        requests = control(url, "requests")
        control(url, "config", "POST", {"keep_requests": False})
        for _ in range(args.runs):
            loops.append(bare(url, requests))
    finally:
        bed.stdin.close()
        bed.wait(20)
    spread = lambda values: f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"
    print(f"scan: wall {spread([r[0] for r in rows])} s, CPU {spread([r[1] for r in rows])} s, "
          f"peak {spread([r[2] for r in rows])} MB, {calls['total']} calls, {calls['peak_in_flight']} at once")
    print(f"the same {len(requests)} requests from a bare loop of {WORKERS}: {spread(loops)} s")
    print(f"ratio {statistics.median(r[0] for r in rows) / statistics.median(loops):.2f}")


if __name__ == "__main__":
    main()
