"""Looking into JSON documents: paths, comparisons and the token cursor of the pattern languages."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

from .protocol import AwsError


def dig(doc: Any, path: str) -> Any:
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(doc, list) and part.isdigit():
            doc = doc[int(part)] if int(part) < len(doc) else None
        elif isinstance(doc, dict):
            doc = doc.get(part)
        else:
            return None
    return doc


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def compare(left: Any, sign: str, right: Any) -> bool:
    a, b = as_number(left), as_number(right)
    if sign in ("=", "!="):
        if a is not None and b is not None:
            same = a == b
        elif isinstance(right, str) and "*" in right:
            same = left is not None and fnmatch.fnmatchcase(str(left), right)
        else:
            same = (
                left is not None and str(left).lower() == str(right).lower()
                if isinstance(left, bool)
                else str(left) == str(right) and left is not None
            )
        return same == (sign == "=")
    if a is None or b is None:
        return False
    return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[sign]


class Tokens:
    """A cursor over the tokens of a pattern or a query."""

    def __init__(self, text: str, pattern: str):
        self.items = [m.group(0) for m in re.finditer(pattern, text) if m.group(0).strip()]
        self.at = 0

    def peek(self) -> str | None:
        return self.items[self.at] if self.at < len(self.items) else None

    def next(self) -> str:
        if self.at >= len(self.items):
            raise AwsError("InvalidParameterException", "Unexpected end of the pattern.", 400)
        self.at += 1
        return self.items[self.at - 1]

    def take(self, *wanted: str) -> bool:
        if self.peek() is not None and self.peek().lower() in wanted:
            self.at += 1
            return True
        return False
