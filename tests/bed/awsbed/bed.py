"""The bed: all state that is not moto's, and the questions handlers ask of it."""

from __future__ import annotations

import collections
import datetime as dt
import json
import random
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from botocore.parsers import create_parser
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException

from . import shortcuts
from .bedrock.jobs import finish_job
from .bedrock.state import BedrockState, kms_arn
from .calls import CallCounts
from .faults import Fault
from .identity import identity_of
from .protocol import Answer, AwsError, Call, Raw, render
from .s3 import leave_bucket_policies_unenforced
from .trail import EventHistory
from .values import now

if TYPE_CHECKING:
    from .live import Live


class Bed:
    """One test bed: moto, its settings, and everything moto has no place for."""

    def __init__(self, seed: int = 7, **config: Any):
        self.seed = seed
        self.lock = threading.RLock()
        leave_bucket_policies_unenforced()
        shortcuts.take()
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.config: dict[str, Any] = {
            "lookup_tps": 0.0,  # LookupEvents calls per second and region; 0: no limit
            "trail_delay": 0.0,  # seconds before an event shows in LookupEvents
            "job_seconds": 0.0,  # customization jobs complete by themselves after this; 0: never
            "record": True,  # write calls down as CloudTrail events
            "latency_ms": 0.0,  # added to every call
            "query_polls": 0,  # GetQueryResults says Running this many times first
            "keep_requests": False,  # keep every request as it came, to be asked again
            "strict": True,  # an operation nobody implements answers 501, not moto's HTML
        }
        self.config.update(config)
        self.clear()

    def clear(self) -> None:
        """Forget everything but the settings."""
        with self.lock:
            self.rng = random.Random(self.seed)
            self.started = now()
            self.histories: dict[tuple[str, str], EventHistory] = collections.defaultdict(EventHistory)
            self.states: dict[tuple[str, str], BedrockState] = collections.defaultdict(BedrockState)
            self.macies: dict[tuple[str, str], dict[str, Any]] = collections.defaultdict(dict)
            self.beside: dict[tuple[str, str], dict[str, Any]] = collections.defaultdict(dict)
            self.faults: list[Fault] = []
            self.stubs: list[dict[str, Any]] = []
            self.identities: dict[str, dict[str, Any]] = {}
            self.seen_identities: dict[str, dict[str, Any]] = {}
            self.queries: dict[str, dict[str, Any]] = {}
            self.rotation: dict[str, int] = {}
            self.grant_dates: dict[str, float] = {}
            self.last_accessed: dict[str, dict[str, Any]] = {}
            self.last_accessed_jobs: dict[str, str] = {}
            self.buckets: dict[Any, tuple[float, float]] = {}
            self.event_cache: dict[int, tuple[int, list[Any]]] = {}
            self.live: Live | None = None
            self.calls = CallCounts()

    def forget_calls(self) -> None:
        with self.lock:
            self.calls = CallCounts()

    # State

    def history(self, account: str, region: str) -> EventHistory:
        return self.histories[account, region]

    def bedrock_state(self, account: str, region: str) -> BedrockState:
        return self.states[account, region]

    def bedrock(self, call: Call) -> BedrockState:
        return self.states[call.account, call.region]

    def macie(self, call: Call) -> dict[str, Any]:
        return self.macies[call.account, call.region]

    def settle_jobs(self, call: Call) -> None:
        limit = self.config["job_seconds"]
        if not limit:
            return
        for doc in list(self.bedrock(call).kinds["job"].values()):
            done = doc["creationTime"] + dt.timedelta(seconds=limit)
            if doc["status"] == "InProgress" and done <= now():
                finish_job(self, call.account, call.region, doc, "Completed", done)

    def take_token(self, call: Call, what: str, rate: float) -> None:
        """A token bucket per account and region; burst equals one second's worth."""
        if not rate:
            return
        with self.lock:
            key, moment = (what, call.account, call.region), time.monotonic()
            tokens, at = self.buckets.get(key, (rate, moment))
            tokens = min(rate, tokens + (moment - at) * rate)
            if tokens < 1.0:
                self.buckets[key] = (tokens, moment)
                raise AwsError("ThrottlingException", "Rate exceeded", 400)
            self.buckets[key] = (tokens - 1.0, moment)

    # Logs

    def sorted_events(self, group: Any) -> list[tuple[str, Any]]:
        """(stream, event) of a moto log group in time order, cached until it grows."""
        total = sum(len(s.events) for s in group.streams.values())
        cached = self.event_cache.get(id(group))
        if cached is None or cached[0] != total:
            rows = [(name, e) for name, s in group.streams.items() for e in s.events]
            rows.sort(key=lambda row: (row[1].timestamp, row[1].event_id))
            self.event_cache[id(group)] = cached = (total, rows)
        return cached[1]

    def write_logs(self, account: str, region: str, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        """Straight into moto's log group: no size, age or order limits."""
        backend = get_backend("logs")[account][region]
        if group not in backend.groups:
            return
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        backend.groups[group].streams[stream].put_log_events(events)

    # Who is calling

    def identity(self, call: Call) -> dict[str, Any]:
        return identity_of(self, call)

    # Asking moto

    def ask_moto(self, call: Call) -> Answer:
        if call.service == "kms" and b":key/" in (call.body or b""):
            # moto looks some operations' keys up by bare ID only.
            call.body = re.sub(rb'("KeyId":\s*")arn:[^"]*:key/', rb"\1", call.body or b"")
        call.rewind()
        caught: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            caught.update(status=int(status.split()[0]), headers=headers)
            return lambda data: None

        try:
            chunks = self.moto(call.environ, start_response)
            body = b"".join(chunks)
        except NotImplementedError:
            return self.missing(call)
        except KeyError:
            if call.service != "kms":
                raise
            raise AwsError(
                "NotFoundException", f"Key '{kms_arn(call, call.params.get('KeyId'))}' does not exist", 400
            ) from None
        except HTTPException as error:
            return error.code or 500, [("Content-Type", "text/plain")], str(error.description).encode()
        kind = next((v for k, v in caught["headers"] if k.lower() == "content-type"), "")
        html = kind.startswith("text/html") and body.lstrip()[:9].lower() == b"<!doctype"
        if self.config["strict"] and html and caught["status"] in (404, 405, 500) and call.service != "s3":
            return self.missing(call)
        return caught["status"], caught["headers"], body

    def missing(self, call: Call) -> Answer:
        return render(call, AwsError("NotImplementedByTestBed", f"Neither awsbed nor moto implements {call.name}", 501))

    def ask_moto_json(self, call: Call) -> dict[str, Any]:
        answer = self.ask_moto(call)
        if answer[0] >= 300:
            raise Raw(answer)
        return json.loads(answer[2])

    def ask_moto_parsed(self, call: Call) -> dict[str, Any]:
        """moto's answer in any protocol, read back as an SDK would."""
        status, headers, body = self.ask_moto(call)
        if status >= 300:
            raise Raw((status, headers, body))
        parser = create_parser(call.operation.service_model.metadata["protocol"])
        answer = {"status_code": status, "headers": dict(headers), "body": body}
        return dict(parser.parse(answer, call.operation.output_shape))
