"""Fault injection: rules that make calls throttle, fail, stall, drop or come back broken."""

from __future__ import annotations

import fnmatch
import random
import socket
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .http_server import SOCKET
from .protocol import Answer, AwsError, Call, render

if TYPE_CHECKING:
    from .bed import Bed


THROTTLE = {  # what "slow down" looks like, per service
    "s3": ("SlowDown", 503, "Please reduce your request rate."),
    "ec2": ("RequestLimitExceeded", 503, "Request limit exceeded."),
    "iam": ("Throttling", 400, "Rate exceeded"),
    "sts": ("Throttling", 400, "Rate exceeded"),
    "cloudwatch": ("Throttling", 400, "Rate exceeded"),
    "bedrock": ("ThrottlingException", 429, "Too many requests, please wait before trying again."),
    "bedrock-runtime": ("ThrottlingException", 429, "Too many requests, please wait before trying again."),
    "macie2": ("ThrottlingException", 429, "Rate exceeded"),
}
JSON_RPC = {"kms", "cloudtrail", "logs", "events", "athena", "organizations", "comprehend"}


@dataclass
class Fault:
    """One rule. `service`, `operation`, `region` and `key` are globs; `percent` of matching calls
    are hit, at most `times` of them; `skip` lets the first ones through."""

    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    key: str = "*"  # whose calls: the access key
    percent: float = 100.0
    times: int | None = None
    skip: int = 0
    latency_ms: float = 0.0
    status: int | None = None
    code: str | None = None
    message: str | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    hits: int = 0
    seen: int = 0

    KINDS = ("throttle", "error", "latency", "drop", "expired", "access_denied", "garbled", "truncated")

    def matches(self, call: Call, rng: random.Random) -> bool:
        if not (
            fnmatch.fnmatchcase(call.service, self.service)
            and fnmatch.fnmatchcase(call.action, self.operation)
            and fnmatch.fnmatchcase(call.region, self.region)
            and fnmatch.fnmatchcase(call.access_key, self.key)
        ):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.hits >= self.times):
            return False
        if rng.random() * 100.0 >= self.percent:
            return False
        self.hits += 1
        return True


def fault_answer(fault: Fault, call: Call, bed: Bed) -> Answer | None:
    """The answer a fault gives in place of the service, or None to go on."""
    svc = call.service
    if fault.kind == "throttle":
        code, status, text = THROTTLE.get(svc, ("ThrottlingException", 400, "Rate exceeded"))
    elif fault.kind == "error":
        code, status, text = "InternalServerException", 500, "The server encountered an internal error."
        if svc in ("s3", "ec2", "iam", "sts"):
            code = "InternalError"
    elif fault.kind == "expired":
        query = svc in ("s3", "ec2", "iam", "sts")
        code = "ExpiredToken" if query else "ExpiredTokenException"
        status = 400 if svc == "s3" else 403 if not svc in JSON_RPC else 400
        text = "The security token included in the request is expired"
    elif fault.kind == "access_denied":
        who = bed.identity(call)["arn"]
        code = {"ec2": "UnauthorizedOperation", "s3": "AccessDenied", "iam": "AccessDenied", "sts": "AccessDenied"}.get(
            svc, "AccessDeniedException"
        )
        status = 400 if svc in JSON_RPC else 403
        prefix = "bedrock" if svc.startswith("bedrock") else svc
        text = (
            f"User: {who} is not authorized to perform: {prefix}:{call.action} on resource: * "
            f"because no identity-based policy allows the {prefix}:{call.action} action"
        )
    elif fault.kind == "garbled":
        return 200, [("Content-Type", "application/json")], b'{"unexpected": [1, 2'
    else:
        return None
    return render(call, AwsError(fault.code or code, fault.message or text, fault.status or status))


def drop_connection(environ: dict[str, Any]) -> None:
    sock = environ.get(SOCKET)
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
