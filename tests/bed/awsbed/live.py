"""The live account: a script that moves the seeded account, one step at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bed import Bed


class Live:
    """A script being played. Each item of the script is one step already taken, in words."""

    def __init__(self, bed: Bed, script: Iterator[list[str]]):
        self.bed, self.script, self.steps = bed, script, 0

    def advance(self, steps: int) -> list[str]:
        """Take so many steps now and say what happened."""
        happened: list[str] = []
        with self.bed.lock:
            for _ in range(steps):
                happened += next(self.script, [])
                self.steps += 1
        return happened


def run(bed: Bed, seconds: float) -> None:
    """Take a step of whatever script the bed has, for ever."""
    while True:
        time.sleep(seconds)
        if bed.live is not None:
            bed.live.advance(1)
