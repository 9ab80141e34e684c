"""CloudWatch Logs filter patterns."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..matching import Tokens, compare, dig
from ..protocol import AwsError

Predicate = Callable[[str, Any], bool]


def filter_pattern(text: str) -> Predicate:
    """CloudWatch Logs filter pattern: terms, -terms, ?terms, "phrases", %regex%,
    and JSON selectors with && || ( ) and the usual comparisons."""
    text = (text or "").strip()
    if not text:
        return lambda message, doc: True
    if text.startswith("{") and text.endswith("}"):
        tokens = Tokens(text[1:-1], r'"(?:[^"\\]|\\.)*"|&&|\|\||[()]|[<>!]=|[=<>]|[^\s()=<>!&|]+|\s+')

        def operand(raw: str) -> Any:
            return json.loads(raw) if raw.startswith('"') else raw

        def unary() -> Predicate:
            if tokens.take("("):
                inner = either()
                if not tokens.take(")"):
                    raise AwsError("InvalidParameterException", "Invalid filter pattern: missing ')'", 400)
                return inner
            path = tokens.next()
            if not path.startswith("$"):
                raise AwsError("InvalidParameterException", f"Invalid filter pattern near {path}", 400)
            path = path[1:].lstrip(".")
            sign = tokens.next()
            if sign.upper() == "IS":
                value = tokens.next().upper()
                return {
                    "NULL": lambda m, d: dig(d, path) is None,
                    "TRUE": lambda m, d: dig(d, path) is True,
                    "FALSE": lambda m, d: dig(d, path) is False,
                }[value]
            if sign.upper() == "NOT":
                tokens.next()
                return lambda m, d: dig(d, path) is not None
            value = operand(tokens.next())
            return lambda m, d: compare(dig(d, path), sign, value)

        def both() -> Predicate:
            parts = [unary()]
            while tokens.take("&&"):
                parts.append(unary())
            return lambda m, d: all(part(m, d) for part in parts)

        def either() -> Predicate:
            parts = [both()]
            while tokens.take("||"):
                parts.append(both())
            return lambda m, d: any(part(m, d) for part in parts)

        test = either()
        return lambda message, doc: isinstance(doc, dict) and test(message, doc)
    if text.startswith("%") and text.endswith("%"):
        regex = re.compile(text[1:-1])
        return lambda message, doc: bool(regex.search(message))
    must, never, maybe = [], [], []
    for raw in re.findall(r'[-?]?"(?:[^"\\]|\\.)*"|\S+', text):
        target = {"-": never, "?": maybe}.get(raw[0], must)
        raw = raw[1:] if raw[0] in "-?" else raw
        target.append(raw[1:-1].replace('\\"', '"') if raw.startswith('"') else raw)
    return lambda message, doc: (
        all(t in message for t in must)
        and not any(t in message for t in never)
        and (not maybe or any(t in message for t in maybe))
    )
