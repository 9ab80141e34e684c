"""Times, identifiers and JSON-safe copies: the small conversions every module needs."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Any

UTC = dt.timezone.utc


def now() -> dt.datetime:
    return dt.datetime.now(UTC)


def when(value: Any) -> dt.datetime | None:
    """A datetime from a datetime, an epoch number or an ISO 8601 string."""
    if value is None or isinstance(value, dt.datetime):
        moment = value
    elif isinstance(value, (int, float)):
        moment = dt.datetime.fromtimestamp(value, UTC)
    else:
        text = str(value)
        try:
            moment = dt.datetime.fromtimestamp(float(text), UTC)
        except ValueError:
            moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment


def iso(moment: dt.datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short_id(*parts: Any, length: int = 12) -> str:
    """A stable identifier in Bedrock's alphabet (lower-case letters, digits)."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    number, out = int.from_bytes(digest, "big"), []
    for _ in range(length):
        number, digit = divmod(number, 36)
        out.append("0123456789abcdefghijklmnopqrstuvwxyz"[digit])
    return "".join(out)


def strip_config(value: Any) -> Any:
    """Guardrail input names to output names: topicPolicyConfig.topicsConfig ->
    topicPolicy.topics."""
    if isinstance(value, dict):
        return {re.sub(r"Config$", "", k): strip_config(v) for k, v in value.items()}
    if isinstance(value, list):
        return [strip_config(v) for v in value]
    return value


def plain(value: Any) -> Any:
    """JSON-safe copy of a parsed request or a result."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dt.datetime):
        return iso(value)
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return None


def lower_first(value: Any) -> Any:
    """CloudTrail writes member names with a small first letter."""
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: lower_first(v) for k, v in value.items()}
    if isinstance(value, list):
        return [lower_first(v) for v in value]
    return value
