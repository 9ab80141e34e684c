#!/usr/bin/env python3
"""Records the bundled demo from the seed account, moving (`--live`).

    cargo build && python3 tests/bed/make_demo.py path/to/bedwatch

Starts a bed of its own, lets bedwatch record it as a case, gives the findings ages (a recording
knows only "now"), and writes src/cli/console/demo.json: a line for each collection, event and step,
so that a later recording can be compared with this one.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "src/cli/console/demo.json"
SECONDS = 130
HOUR = 3600.0
# Seconds that a finding is open, by its place in the list, told again and again.
AGES = [3 * 24 * HOUR, 26 * HOUR, 9.5 * HOUR, 17 * 24 * HOUR, 5 * 24 * HOUR, 41 * 24 * HOUR]
# Since the last look, nine hours ago: these are new, this one had been closed.
NEW = ("CUS-KMS-06/2094f08f-b418-427a-aa2a-15eda1d38cb8/OrionTuner", "CUS-KMS-02/orion-fast-1", "CUS-KMS-07/4a6b5b62-e1de-478c-b8b7-555c01f42572")
BACK = ("CUS-IAM-02/TunerRoleOpen",)
GONE = {"verdict": "CUS-DAT-05/orion-train", "control": "CUS-DAT-05", "name": "orion-train: versioning is off"}
LAST_LOOK = 9 * HOUR


def record(binary: str) -> dict[str, Any]:
    """The seed account as bedwatch saw it, and what happened then."""
    bed = subprocess.Popen(
        [sys.executable, str(HERE / "start.py"), "--seed", "orion", "--live", "--live-seconds", "4", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = bed.stdout.readline().split()[-1]  # type: ignore[union-attr]
        env = {**os.environ, "AWS_ACCESS_KEY_ID": "ONCALLWRITE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
        with tempfile.TemporaryDirectory() as folder:
            case = f"{folder}/demo.case"
            command = [binary, "case", "record", case, "--deep", "--for", str(SECONDS), "--endpoint-url", url]
            subprocess.run(command, env=env, check=True)
            out = subprocess.run([binary, "case", "export", case], env=env, check=True, stdout=subprocess.PIPE)
            return json.loads(out.stdout)
    finally:
        bed.stdin.close()  # type: ignore[union-attr]
        bed.wait(10)


def age(export: dict[str, Any]) -> None:
    """Gives every finding a history."""
    now = datetime.fromisoformat(export["saved_at"].replace("Z", "+00:00"))
    ago = lambda seconds: (now - timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    kept = []
    for place, sighting in enumerate(export["sightings"]):
        name = sighting["verdict"]
        if name.startswith(NEW):
            continue
        sighting["first_seen"] = ago(AGES[place % len(AGES)])
        sighting["last_seen"] = ago(LAST_LOOK)
        if name.startswith(BACK):
            sighting |= {"status": "closed", "closed_at": ago(2 * 24 * HOUR)}
        kept.append(sighting)
    gone = {**GONE, "status": "open", "first_seen": ago(6 * 24 * HOUR), "last_seen": ago(LAST_LOOK), "closed_at": None, "reopened": 0}
    export["sightings"] = [*kept, gone]


def text(export: dict[str, Any]) -> str:
    """The export with a line for each thing in it."""
    one = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    parts = []
    for name, value in export.items():
        if isinstance(value, list):
            parts.append(f"{one(name)}:[\n" + ",\n".join(map(one, value)) + "\n]")
        elif name == "inventory":
            parts.append(f"{one(name)}:{{\n" + ",\n".join(f"{one(k)}:{one(v)}" for k, v in value.items()) + "\n}")
        else:
            parts.append(f"{one(name)}:{one(value)}")
    return "{" + ",\n".join(parts) + "}\n"


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    export = record(sys.argv[1])
    export["session"] |= {"endpoint": None, "mode": "demo"}
    age(export)
    TARGET.write_text(text(export), encoding="utf-8")
    print(f"wrote {TARGET.name}: {len(export['events'])} events, {len(export['story'])} steps")


if __name__ == "__main__":
    main()
