#!/usr/bin/env python3
"""Start the AWS test bed, in one command, on a bare Python (standard library only).

    python3 tests/bed/start.py --seed orion

It makes or reuses a virtual environment, installs the pinned requirements into it
and then becomes the server. When the bed answers, one line goes to standard output:

    bed ready http://127.0.0.1:PORT

    --venv DIR     where the environment lives; default $CARGO_TARGET_DIR/bed-venv,
                   else target/bed-venv of this repository
    --prepare      only make the environment, then exit
    anything else  is handed to the server: see `start.py --help`

Exit status: 3 if Python or its venv module is missing, 4 if installing failed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NoReturn, Optional

BED = Path(__file__).resolve().parent
REQUIREMENTS = BED / "requirements.txt"
OLDEST = (3, 11)  # what the pinned requirements ask for
STAMP = "bed-stamp"


def give_up(status: int, message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)


def take_option(arguments: List[str], name: str) -> Optional[str]:
    """Remove `name VALUE` or `name=VALUE` from the arguments and return the value."""
    for at, argument in enumerate(arguments):
        if argument == name and at + 1 < len(arguments):
            value = arguments[at + 1]
            del arguments[at : at + 2]
            return value
        if argument.startswith(name + "="):
            del arguments[at]
            return argument.split("=", 1)[1]
    return None


def default_venv() -> Path:
    target = os.environ.get("CARGO_TARGET_DIR")
    return (Path(target) if target else BED.parent.parent / "target") / "bed-venv"


def find_python() -> str:
    """This interpreter if it is new enough, else a newer one on the PATH."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(15, OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found:
            return found
    give_up(3, "The test bed needs Python %d.%d or later: install it (python3 on current systems)." % OLDEST)


def can_make_venv(python: str) -> bool:
    return subprocess.run([python, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL).returncode == 0


def wanted_stamp(python: str) -> str:
    version = subprocess.run([python, "-c", "import sys; print(sys.version)"], stdout=subprocess.PIPE).stdout
    return hashlib.sha256(REQUIREMENTS.read_bytes() + version).hexdigest()


def prepare(venv: Path) -> Path:
    """The environment's Python, after making or renewing the environment if needed."""
    python = find_python()
    inside = venv / "bin" / "python"
    stamp, wanted = venv / STAMP, wanted_stamp(python)
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(str(venv) + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second start waits here for the first
        if stamp.exists() and stamp.read_text() == wanted and inside.exists():
            return inside
        if not can_make_venv(python):
            give_up(3, "Python's venv module is not installed: install the package python3-venv.")
        shutil.rmtree(venv, ignore_errors=True)
        steps = (
            [python, "-m", "venv", str(venv)],
            [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
        )
        for step in steps:
            # stdin stays with the server: it may be what tells it to stop.
            if subprocess.run(step, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
                give_up(4, "Making the test bed's environment failed: " + " ".join(step))
        stamp.write_text(wanted)
    return inside


def main() -> None:
    arguments = sys.argv[1:]
    venv = Path(take_option(arguments, "--venv") or default_venv()).absolute()
    python = prepare(venv)
    if "--prepare" in arguments:
        return
    environment = dict(os.environ, PYTHONPATH=str(BED))
    for name in [n for n in environment if n.startswith("AWS_")]:
        del environment[name]  # a real account's settings have no business here
    os.execve(str(python), [str(python), "-m", "awsbed"] + arguments, environment)


if __name__ == "__main__":
    main()
