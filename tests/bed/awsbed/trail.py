"""CloudTrail: the event history, how a call is written down, and LookupEvents."""

from __future__ import annotations

import base64
import bisect
import datetime as dt
import itertools
import json
import re
import sys
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .protocol import AwsError, Call, error_of, op
from .values import lower_first, now, plain, short_id, when

if TYPE_CHECKING:
    from .bed import Bed


EVENT_SOURCES = {
    "cloudwatch": "monitoring.amazonaws.com",
    "bedrock-runtime": "bedrock.amazonaws.com",
    "accessanalyzer": "access-analyzer.amazonaws.com",
}
READ_VERBS = re.compile(
    r"^(Get|List|Describe|Lookup|Head|Filter|Search|Test|BatchGet|Simulate|Validate|"
    r"Check|Decrypt|InvokeModel|Converse|ApplyGuardrail|StartLiveTail)"
)
# Data events or calls CloudTrail does not write: never in LookupEvents.
NOT_IN_EVENT_HISTORY = re.compile(
    r"^(s3:(Get|Put|Head|Delete|Copy)Object.*|s3:ListObjects.*|s3:.*MultipartUpload|s3:UploadPart|"
    r"s3:ListParts|logs:(Put|Get|Filter)LogEvents|cloudwatch:(Put|Get)Metric.*|sts:GetFederationToken)$"
)


class EventHistory:
    """Management events of one account and region, in time order."""

    def __init__(self, limit: int = 500_000):
        self.keys: list[tuple[float, int]] = []
        self.records: list[dict[str, Any]] = []
        self.limit = limit
        self.counter = itertools.count()

    def add(self, record: dict[str, Any]) -> None:
        moment = when(record["eventTime"])
        assert moment is not None
        key = (moment.timestamp(), next(self.counter))
        if not self.keys or key >= self.keys[-1]:
            self.keys.append(key)
            self.records.append(record)
        else:
            at = bisect.bisect(self.keys, key)
            self.keys.insert(at, key)
            self.records.insert(at, record)
        if len(self.keys) > self.limit:
            drop = self.limit // 10
            del self.keys[:drop], self.records[:drop]


def resources_of(call: Call) -> list[dict[str, str]]:
    """What CloudTrail's `Resources` would name for this call."""
    named = {
        "bedrock": {
            "jobIdentifier": "AWS::Bedrock::ModelCustomizationJob",
            "modelIdentifier": "AWS::Bedrock::CustomModel",
            "guardrailIdentifier": "AWS::Bedrock::Guardrail",
            "provisionedModelId": "AWS::Bedrock::ProvisionedModel",
            "jobName": "AWS::Bedrock::ModelCustomizationJob",
        },
        "bedrock-runtime": {"modelId": "AWS::Bedrock::Model"},
        "kms": {"KeyId": "AWS::KMS::Key"},
        "s3": {"Bucket": "AWS::S3::Bucket"},
        "iam": {"RoleName": "AWS::IAM::Role", "PolicyArn": "AWS::IAM::Policy"},
        "cloudtrail": {"Name": "AWS::CloudTrail::Trail", "TrailName": "AWS::CloudTrail::Trail"},
        "logs": {"logGroupName": "AWS::Logs::LogGroup"},
    }.get(call.service, {})
    return [
        {"ResourceType": kind, "ResourceName": str(call.params[member])}
        for member, kind in named.items()
        if call.params.get(member)
    ]


def trail_event(bed: Bed, call: Call, status: int, body: bytes) -> dict[str, Any]:
    read_only = bool(READ_VERBS.match(call.action))
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": bed.identity(call),
        "eventTime": now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "eventSource": EVENT_SOURCES.get(call.service, f"{call.service}.amazonaws.com"),
        "eventName": call.action,
        "awsRegion": call.region,
        "sourceIPAddress": call.environ.get("REMOTE_ADDR", "127.0.0.1"),
        "userAgent": call.request.headers.get("User-Agent", ""),
        "requestParameters": lower_first(plain(call.params)) or None,
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
    }
    if status >= 400:
        record["errorCode"], record["errorMessage"] = error_of(body)
    elif not read_only and body[:1] == b"{" and len(body) < 20_000:
        try:
            record["responseElements"] = lower_first(json.loads(body)) or None
        except ValueError:
            pass
    found = resources_of(call)
    if found:
        record["_resources"] = found
        arns = [r["ResourceName"] for r in found if r["ResourceName"].startswith("arn:")]
        if arns:
            record["resources"] = [{"accountId": call.account, "ARN": a} for a in arns]
    return record


LOOKUP_KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "EventId": lambda r: r.get("eventID"),
    "EventName": lambda r: r.get("eventName"),
    "ReadOnly": lambda r: str(bool(r.get("readOnly"))).lower(),
    "Username": lambda r: username_of(r),
    "EventSource": lambda r: r.get("eventSource"),
    "AccessKeyId": lambda r: (r.get("userIdentity") or {}).get("accessKeyId"),
    "ResourceType": lambda r: {x.get("ResourceType") for x in r.get("_resources", ())},
    "ResourceName": lambda r: {x.get("ResourceName") for x in r.get("_resources", ())},
}


def username_of(record: dict[str, Any]) -> str | None:
    who = record.get("userIdentity") or {}
    if who.get("userName"):
        return who["userName"]
    if who.get("type") == "AssumedRole":
        return str(who.get("arn", "")).rsplit("/", 1)[-1]
    return {"Root": "root"}.get(who.get("type"))


@op("cloudtrail", "LookupEvents")
def lookup_events(bed: Bed, call: Call) -> dict[str, Any]:
    bed.take_token(call, "lookup_events", bed.config["lookup_tps"])
    p = call.params
    attributes = p.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can only specify one lookup attribute.", 400)
    limit = int(p.get("MaxResults") or 50)
    if not 1 <= limit <= 50:
        raise AwsError("InvalidMaxResultsException", "MaxResults must be between 1 and 50.", 400)
    start, end = when(p.get("StartTime")), when(p.get("EndTime"))
    if start and end and start > end:
        raise AwsError("InvalidTimeRangeException", "StartTime must not be after EndTime.", 400)
    horizon = now() - dt.timedelta(days=90)
    start = max(start, horizon) if start else horizon
    newest = now() - dt.timedelta(seconds=bed.config["trail_delay"])
    end = min(end, newest) if end else newest
    getter, wanted = None, None
    if attributes:
        getter = LOOKUP_KEYS.get(attributes[0].get("AttributeKey", ""))
        wanted = attributes[0].get("AttributeValue")
        if getter is None:
            raise AwsError("InvalidLookupAttributesException", "Unknown attribute key.", 400)
    scope = short_id(attributes, p.get("StartTime"), p.get("EndTime"))
    cursor: tuple[float, int] = (end.timestamp() + 1e-6, sys.maxsize)
    if p.get("NextToken"):
        try:
            doc = json.loads(base64.urlsafe_b64decode(p["NextToken"]))
            cursor = (float(doc["t"]), int(doc["n"]))
        except Exception:
            raise AwsError("InvalidNextTokenException", "Invalid token.", 400) from None
        if doc.get("s") != scope:
            raise AwsError("InvalidNextTokenException", "The token does not belong to this request.", 400)
    found: list[dict[str, Any]] = []
    token = None
    with bed.lock:
        history = bed.history(call.account, call.region)
        at = bisect.bisect_left(history.keys, cursor) - 1
        floor = start.timestamp()
        while at >= 0 and history.keys[at][0] >= floor:
            record = history.records[at]
            got = getter(record) if getter else None
            if getter is None or got == wanted or (isinstance(got, set) and wanted in got):
                if len(found) == limit:
                    last = history.keys[at + 1]
                    token = base64.urlsafe_b64encode(
                        json.dumps({"t": last[0], "n": last[1], "s": scope}).encode()
                    ).decode()
                    break
                found.append(record)
            at -= 1
    events = [
        {
            "EventId": r["eventID"],
            "EventName": r["eventName"],
            "ReadOnly": str(bool(r.get("readOnly"))).lower(),
            "AccessKeyId": (r.get("userIdentity") or {}).get("accessKeyId"),
            "EventTime": when(r["eventTime"]),
            "EventSource": r["eventSource"],
            "Username": username_of(r),
            "Resources": r.get("_resources", []),
            "CloudTrailEvent": json.dumps({k: v for k, v in r.items() if not k.startswith("_")}),
        }
        for r in found
    ]
    answer: dict[str, Any] = {"Events": events}
    if token:
        answer["NextToken"] = token
    return answer


@op("cloudtrail", "GetEventSelectors")
def get_event_selectors(bed: Bed, call: Call) -> dict[str, Any]:
    """A trail that was never told otherwise logs all management events; moto says []."""
    doc = bed.ask_moto_json(call)
    if not doc.get("EventSelectors") and not doc.get("AdvancedEventSelectors"):
        doc["EventSelectors"] = [
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": [],
            }
        ]
    return doc
