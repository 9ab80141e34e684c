"""The control plane under /_bed/: how a test sets the bed up and reads what happened."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend
from moto.core.utils import get_service_model

from . import planter
from .bedrock.jobs import finish_job
from .empty import EMPTY_ANSWERS
from .faults import Fault
from .protocol import HANDLERS
from .trail import READ_VERBS
from .values import iso, now, plain, when

if TYPE_CHECKING:
    from .server import App

CONTROL_PREFIX = "/_bed"
DEFAULT_ACCOUNT, DEFAULT_REGION = "123456789012", "us-east-1"


def place(doc: dict[str, Any]) -> tuple[str, str]:
    return doc.get("account", DEFAULT_ACCOUNT), doc.get("region", DEFAULT_REGION)


def c_reset(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    """Empty account, then {"seed": "orion"} if asked for."""
    planter.reset(app)
    planter.plant(app, doc.get("seed") or "none")
    return {"ok": True}


def c_live(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    """{"step": n}: take n steps of the seed's script now."""
    if app.bed.live is None:
        raise ValueError("no seed is planted, so nothing can move")
    happened = app.bed.live.advance(int(doc.get("step", 1)))
    return {"steps": app.bed.live.steps, "happened": happened}


def c_add_faults(app: App, doc: Any, query: dict[str, str]) -> Any:
    rules = [Fault(**rule) for rule in (doc if isinstance(doc, list) else [doc])]
    for rule in rules:
        if rule.kind not in Fault.KINDS:
            raise ValueError(f"kind must be one of {Fault.KINDS}")
    with app.bed.lock:
        app.bed.faults.extend(rules)
    return [vars(r) for r in rules]


def c_drop_faults(app: App, doc: Any, query: dict[str, str]) -> Any:
    with app.bed.lock:
        app.bed.faults = [f for f in app.bed.faults if query.get("id") and f.id != query["id"]]
    return {"left": len(app.bed.faults)}


def c_inject_events(app: App, doc: Any, query: dict[str, str]) -> Any:
    """CloudTrail records, as CloudTrail writes them; missing members are filled in."""
    count = 0
    with app.bed.lock:
        for record in doc["events"] if isinstance(doc, dict) else doc:
            record.setdefault("eventID", str(uuid.UUID(int=app.bed.rng.getrandbits(128), version=4)))
            record.setdefault("eventTime", iso(now()))
            record.setdefault("awsRegion", DEFAULT_REGION)
            record.setdefault("readOnly", bool(READ_VERBS.match(record["eventName"])))
            record.setdefault("eventVersion", "1.11")
            record.setdefault("eventType", "AwsApiCall")
            record.setdefault("managementEvent", True)
            record.setdefault("eventCategory", "Management")
            account = record.setdefault("recipientAccountId", DEFAULT_ACCOUNT)
            if "_resources" not in record:
                record["_resources"] = [
                    {"ResourceType": r.get("type", ""), "ResourceName": r.get("ARN", "")}
                    for r in record.get("resources") or []
                ]
            app.bed.history(account, record["awsRegion"]).add(record)
            count += 1
    return {"injected": count}


def c_events(app: App, doc: Any, query: dict[str, str]) -> Any:
    history = app.bed.history(query.get("account", DEFAULT_ACCOUNT), query.get("region", DEFAULT_REGION))
    return {"total": len(history.records), "events": history.records[-int(query.get("last", 50)) :]}


def c_calls(app: App, doc: Any, query: dict[str, str]) -> Any:
    return app.bed.calls.report(int(query.get("last", 0)))


def c_config(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    unknown = set(doc) - set(app.bed.config)
    if unknown:
        raise ValueError(f"unknown settings {sorted(unknown)}")
    app.bed.config.update(doc)
    return app.bed.config


def c_job(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    """{"job": name, "status": "Completed", "created": t, "ended": t, "message": ...}"""
    account, region = place(doc)
    with app.bed.lock:
        job = app.bed.bedrock_state(account, region).find("job", doc["job"])
        if doc.get("created"):
            job["creationTime"] = job["lastModifiedTime"] = when(doc["created"])
        if doc["status"] != "InProgress":
            finish_job(app.bed, account, region, job, doc["status"], when(doc.get("ended")), doc.get("message"))
    return plain(job)


def c_patch(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    """Set any member of a planted Bedrock resource: {"kind", "id", "set": {...}}"""
    target = app.bed.bedrock_state(*place(doc)).find(doc["kind"], doc["id"])
    for name, value in doc["set"].items():
        target[name] = when(value) if name.endswith(("Time", "At")) else value
    return plain(target)


def c_plant(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    """Put whole documents: {"kind": <bedrock kind> | macie_finding | macie_bucket, "docs": [...]}

    {"kind": "beside", "table": "threats", "docs": {id: document}} replaces a table of `beside.py`.
    """
    account, region = place(doc)
    if doc["kind"] == "beside":
        app.bed.beside[account, region][doc["table"]] = doc["docs"]
        return {"planted": len(doc["docs"])}
    for item in doc["docs"]:
        if doc["kind"] == "macie_finding":
            app.bed.macies[account, region].setdefault("findings", {})[item["id"]] = item
        elif doc["kind"] == "macie_bucket":
            app.bed.macies[account, region].setdefault("buckets", {})[item["bucketName"]] = item
        else:
            for name in list(item):
                if name.endswith(("Time", "At")):
                    item[name] = when(item[name])
            app.bed.bedrock_state(account, region).put(doc["kind"], item)
    return {"planted": len(doc["docs"])}


def c_stub(app: App, doc: Any, query: dict[str, str]) -> Any:
    for stub in doc if isinstance(doc, list) else [doc]:
        get_service_model(stub["service"]).operation_model(stub["operation"])
        app.bed.stubs.insert(0, stub)
    return {"stubs": len(app.bed.stubs)}


def c_unstub(app: App, doc: Any, query: dict[str, str]) -> Any:
    app.bed.stubs.clear()
    return {"stubs": 0}


def c_logs(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    app.bed.write_logs(*place(doc), doc["group"], doc["stream"], doc["events"])
    return {"written": len(doc["events"])}


def c_role_used(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    account, region = place(doc)
    backend = get_backend("iam")[account]["aws"]
    role = backend.get_role(doc["role"])
    role.last_used, role.last_used_region = when(doc.get("at")), region
    if doc.get("created"):
        role.create_date = when(doc["created"])
    if doc.get("services"):
        app.bed.last_accessed[role.arn] = doc["services"]
    return {"ok": True}


def c_key(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    account, region = place(doc)
    """{"key", "created": t, "manager": "AWS", "state": ...}: what no call can set."""
    key = get_backend("kms")[account][region].describe_key(doc["key"])
    if doc.get("state"):
        key.key_state, key.enabled = doc["state"], doc["state"] == "Enabled"
    if doc.get("created"):
        key.creation_date = when(doc["created"]).timestamp()
    if doc.get("manager"):
        key.key_manager = doc["manager"]
    return {"ok": True}


def c_identities(app: App, doc: dict[str, Any], query: dict[str, str]) -> Any:
    app.bed.identities.update(doc)
    return {"known": len(app.bed.identities)}


def c_coverage(app: App, doc: Any, query: dict[str, str]) -> Any:
    return {"handlers": sorted(HANDLERS), "empty": sorted(EMPTY_ANSWERS)}


CONTROL: dict[tuple[str, str], Callable[["App", Any, dict[str, str]], Any]] = {
    ("GET", "health"): lambda app, doc, query: {"ok": True, "config": app.bed.config},
    ("POST", "reset"): c_reset,
    ("GET", "faults"): lambda app, doc, query: [vars(f) for f in app.bed.faults],
    ("POST", "faults"): c_add_faults,
    ("DELETE", "faults"): c_drop_faults,
    ("GET", "events"): c_events,
    ("POST", "events"): c_inject_events,
    ("GET", "calls"): c_calls,
    ("GET", "requests"): lambda app, doc, query: app.bed.calls.requests,
    ("DELETE", "calls"): lambda app, doc, query: app.bed.forget_calls(),
    ("POST", "config"): c_config,
    ("POST", "bedrock/job"): c_job,
    ("POST", "bedrock/patch"): c_patch,
    ("POST", "plant"): c_plant,
    ("POST", "stubs"): c_stub,
    ("DELETE", "stubs"): c_unstub,
    ("POST", "logs"): c_logs,
    ("POST", "iam/role-used"): c_role_used,
    ("POST", "kms/key"): c_key,
    ("POST", "identities"): c_identities,
    ("POST", "live"): c_live,
    ("GET", "coverage"): c_coverage,
}
