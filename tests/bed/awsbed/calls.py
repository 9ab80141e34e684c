"""Counting calls: how many, which, with what answer, and which of them change something."""

from __future__ import annotations

import collections
import re
from typing import Any

from .protocol import Call
from .values import plain

# Operations that read, or that only hand out an answer or a session.
READ_LIKE = re.compile(
    r"^(Get|List|Describe|Lookup|Head|Filter|Search|Test|BatchGet|Simulate|Validate|Check|Select|"
    r"Generate(ServiceLastAccessedDetails|CredentialReport)|StartQuery|StopQuery|StartLiveTail|AssumeRole|Decrypt|"
    r"DecodeAuthorizationMessage|ContainsPii|DetectPii)"
)


def is_dry_run(call: Call) -> bool:
    """True for a request that asks to be checked and not carried out."""
    params = call.params
    return params.get("DryRun") is True or params.get("dryRun") is True


class CallCounts:
    """What reached the server since the last reset."""

    def __init__(self) -> None:
        self.operations: collections.Counter[str] = collections.Counter()
        self.statuses: collections.Counter[int] = collections.Counter()
        self.recent: collections.deque[dict[str, Any]] = collections.deque(maxlen=2000)
        self.requests: list[dict[str, Any]] = []
        self.mutating = 0
        self.dry_runs = 0
        self.unrouted = 0  # requests that name no operation botocore knows
        self.mutating_calls: collections.deque[dict[str, Any]] = collections.deque(maxlen=2000)
        self.in_flight = self.peak_in_flight = 0

    def enter(self) -> None:
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def add(self, call: Call, status: int, milliseconds: float) -> None:
        self.operations[call.name] += 1
        self.statuses[status] += 1
        self.recent.append(
            {
                "operation": call.name,
                "region": call.region,
                "status": status,
                "ms": round(milliseconds, 2),
                "accessKey": call.access_key,
                "userAgent": call.request.headers.get("User-Agent", "")[:80],
            }
        )
        if READ_LIKE.match(call.action):
            return
        if is_dry_run(call):
            self.dry_runs += 1
            return
        self.mutating += 1
        self.mutating_calls.append(
            {
                "operation": call.name,
                "region": call.region,
                "status": status,
                "accessKey": call.access_key,
                "params": plain(call.params) if call.service != "s3" else call.environ.get("PATH_INFO"),
            }
        )

    def keep(self, call: Call) -> None:
        """The request as it came: what another client needs to send it again."""
        environ = call.environ
        headers = {
            name[5:].replace("_", "-").title(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and name not in ("HTTP_HOST", "HTTP_CONNECTION", "HTTP_ACCEPT_ENCODING")
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        self.requests.append(
            {
                "operation": call.name,
                "method": environ["REQUEST_METHOD"],
                "target": environ["RAW_URI"],
                "headers": headers,
                "body": (call.body or b"").decode("latin-1"),
            }
        )

    def report(self, last: int) -> dict[str, Any]:
        return {
            "total": sum(self.operations.values()),
            "operations": dict(self.operations.most_common()),
            "statuses": {str(k): v for k, v in self.statuses.items()},
            "peak_in_flight": self.peak_in_flight,
            "mutating": self.mutating,
            "mutating_calls": list(self.mutating_calls),
            "dry_runs": self.dry_runs,
            "unrouted": self.unrouted,
            "recent": list(self.recent)[-last:] if last else [],
        }
