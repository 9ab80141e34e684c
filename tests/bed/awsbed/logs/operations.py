"""CloudWatch Logs operations that moto lacks or answers wrongly."""

from __future__ import annotations

import base64
import datetime as dt
import json
import struct
import time
import uuid
from binascii import crc32
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..protocol import AwsError, Call, op
from ..values import UTC
from .insights import Insights
from .patterns import Predicate, filter_pattern

if TYPE_CHECKING:
    from ..bed import Bed


def parsed(event: Any) -> Any:
    """The JSON of a log event, read once."""
    doc = getattr(event, "_bed_doc", event)
    if doc is event:
        try:
            doc = json.loads(event.message)
        except ValueError:
            doc = None
        event._bed_doc = doc
    return doc


def group_of(bed: Bed, call: Call, ident: str | None) -> Any:
    backend = call.backend("logs")
    name = (ident or "").split(":log-group:")[-1].removesuffix(":*")
    if name not in backend.groups:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.", 400)
    return backend.groups[name]


@op("logs", "FilterLogEvents")
def filter_log_events(bed: Bed, call: Call) -> dict[str, Any]:
    p = call.params
    group = group_of(bed, call, p.get("logGroupName") or p.get("logGroupIdentifier"))
    test = filter_pattern(p.get("filterPattern") or "")
    is_json = (p.get("filterPattern") or "").strip().startswith("{")
    limit = min(int(p.get("limit") or 10_000), 10_000)
    start, end = p.get("startTime") or 0, p.get("endTime") or 1 << 62
    names, prefix = p.get("logStreamNames"), p.get("logStreamNamePrefix")
    backwards, cursor = p.get("startFromHead") is False, None
    if p.get("nextToken"):
        try:
            way, stamp, number = base64.urlsafe_b64decode(p["nextToken"]).decode().split(":")
            backwards, cursor = way == "b", (int(stamp), int(number))
        except Exception:
            raise AwsError("InvalidParameterException", "The specified nextToken is invalid.", 400) from None
    events, size, token, last = [], 0, None, (0, -1)
    ordered = bed.sorted_events(group)
    for stream, event in reversed(ordered) if backwards else ordered:
        key = (event.timestamp, event.event_id)
        past = cursor is not None and (key >= cursor if backwards else key <= cursor)
        if past or not start <= event.timestamp <= end:
            continue
        if (names and stream not in names) or (prefix and not stream.startswith(prefix)):
            continue
        if not test(event.message, parsed(event) if is_json else None):
            continue
        if len(events) >= limit or size >= 1_048_576:
            token = f"{'b' if backwards else 'f'}:{last[0]}:{last[1]}"
            token = base64.urlsafe_b64encode(token.encode()).decode()
            break
        events.append(
            {
                "logStreamName": stream,
                "timestamp": event.timestamp,
                "message": event.message,
                "ingestionTime": event.ingestion_time,
                "eventId": str(event.event_id).zfill(56),
            }
        )
        size += len(event.message) + 26
        last = key
    return {"events": events, "searchedLogStreams": [], **({"nextToken": token} if token else {})}


@op("logs", "StartQuery")
def start_query(bed: Bed, call: Call) -> dict[str, Any]:
    p = call.params
    names = (p.get("logGroupNames") or []) + (p.get("logGroupIdentifiers") or [])
    names += [p["logGroupName"]] if p.get("logGroupName") else []
    groups = [group_of(bed, call, n) for n in names]
    query = Insights(p["queryString"])
    low, high = int(p["startTime"]) * 1000, int(p["endTime"]) * 1000 + 999
    rows, scanned, size = [], 0, 0
    for group in groups:
        for stream, event in bed.sorted_events(group):
            if low <= event.timestamp <= high:
                scanned, size = scanned + 1, size + len(event.message)
                rows.append(
                    {
                        "@timestamp": dt.datetime.fromtimestamp(event.timestamp / 1000, UTC).strftime(
                            "%Y-%m-%d %H:%M:%S.%f"
                        )[:-3],
                        "@message": event.message,
                        "@logStream": stream,
                        "@log": f"{call.account}:{group.name}",
                        "@ingestionTime": str(event.ingestion_time),
                        "_ts": event.timestamp,
                        "_id": event.event_id,
                        "_doc": parsed(event),
                    }
                )
    if "sort" not in p["queryString"] and "stats" not in p["queryString"]:
        rows.reverse()  # newest first, as Insights does
    if p.get("limit"):
        query.limit = min(query.limit, int(p["limit"]))
    found = query.run(rows)
    show = lambda row: row.get("_show") or ["@timestamp", "@message"]
    results = [
        [{"field": n, "value": str(v)} for n in show(row) if (v := Insights.value(row, n)) is not None]
        + (
            [{"field": "@ptr", "value": base64.b64encode(str(row["_id"]).encode()).decode()}]
            if row.get("_ptr", True)
            else []
        )
        for row in found
    ]
    ident = str(uuid.uuid4())
    bed.queries[ident] = {
        "results": results,
        "status": "Complete",
        "queryLanguage": "CWLI",
        "_polls": bed.config["query_polls"],
        "statistics": {
            "recordsMatched": float(len(found)),
            "recordsScanned": float(scanned),
            "bytesScanned": float(size),
        },
    }
    return {"queryId": ident}


@op("logs", "GetQueryResults")
def get_query_results(bed: Bed, call: Call) -> dict[str, Any]:
    doc = bed.queries.get(call.params["queryId"])
    if doc is None:
        raise AwsError("ResourceNotFoundException", "The query does not exist.", 400)
    if doc["_polls"] > 0:  # first polls find it still running
        doc["_polls"] -= 1
        return {**doc, "results": [], "status": "Running"}
    return doc


@op("logs", "StopQuery")
def stop_query(bed: Bed, call: Call) -> dict[str, Any]:
    return {"success": bed.queries.pop(call.params["queryId"], None) is not None}


@op("logs", "AssociateKmsKey", "DisassociateKmsKey")
def associate_key(bed: Bed, call: Call) -> dict[str, Any]:
    p = call.params
    group = group_of(bed, call, p.get("logGroupName") or p.get("resourceIdentifier"))
    group.kms_key_id = p.get("kmsKeyId") if call.action == "AssociateKmsKey" else None
    return {}


@op("logs", "StartLiveTail")
def start_live_tail(bed: Bed, call: Call) -> dict[str, Any]:
    """A real stream: frames are written as log events arrive (see live_tail)."""
    groups = [group_of(bed, call, g) for g in call.params["logGroupIdentifiers"]]
    raise LiveTail(groups, filter_pattern(call.params.get("logEventFilterPattern") or ""))


class LiveTail(Exception):
    def __init__(self, groups: list[Any], test: Predicate):
        self.groups, self.test = groups, test


def event_frame(kind: str, payload: dict[str, Any]) -> bytes:
    """One message of application/vnd.amazon.eventstream."""

    def header(name: str, value: str) -> bytes:
        return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()

    heads = header(":event-type", kind) + header(":content-type", "application/json") + header(":message-type", "event")
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(heads) + len(body), len(heads))
    prelude += struct.pack(">I", crc32(prelude) & 0xFFFFFFFF)
    message = prelude + heads + body
    return message + struct.pack(">I", crc32(message) & 0xFFFFFFFF)


def live_tail(call: Call, live: LiveTail) -> Iterable[bytes]:
    """The frames of a StartLiveTail answer, one a second."""
    deadline = time.monotonic() + 60 * 180
    seen = {id(g): sum(len(s.events) for s in g.streams.values()) for g in live.groups}
    start = {
        "requestId": call.request_id,
        "sessionId": str(uuid.uuid4()),
        "logGroupIdentifiers": call.params["logGroupIdentifiers"],
    }
    yield event_frame("initial-response", {})
    yield event_frame("sessionStart", start)
    while time.monotonic() < deadline:
        fresh = []
        for group in live.groups:
            events = [(n, e) for n, s in group.streams.items() for e in s.events]
            if len(events) > seen[id(group)]:
                events.sort(key=lambda row: row[1].event_id)
                for name, event in events[seen[id(group)] :]:
                    if live.test(event.message, parsed(event)):
                        fresh.append(
                            {
                                "logStreamName": name,
                                "logGroupIdentifier": group.name,
                                "message": event.message,
                                "timestamp": event.timestamp,
                                "ingestionTime": event.ingestion_time,
                            }
                        )
                seen[id(group)] = len(events)
        yield event_frame(
            "sessionUpdate", {"sessionMetadata": {"sampled": len(fresh) > 500}, "sessionResults": fresh[:500]}
        )
        time.sleep(1.0)
