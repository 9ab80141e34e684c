"""Macie: session, classification jobs, findings and buckets."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

from .bedrock.lists import paged
from .matching import compare, dig
from .protocol import AwsError, Call, op
from .values import now

if TYPE_CHECKING:
    from .bed import Bed


@op("macie2", "GetMacieSession")
def macie_session(bed: Bed, call: Call) -> dict[str, Any]:
    session = bed.macie(call).get("session")
    if not session:
        raise AwsError("AccessDeniedException", "Macie is not enabled.", 403)
    return session


@op("macie2", "EnableMacie")
def enable_macie(bed: Bed, call: Call) -> dict[str, Any]:
    bed.macie(call)["session"] = {
        "createdAt": now(),
        "updatedAt": now(),
        "status": call.params.get("status") or "ENABLED",
        "findingPublishingFrequency": call.params.get("findingPublishingFrequency") or "FIFTEEN_MINUTES",
        "serviceRole": f"arn:aws:iam::{call.account}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie",
    }
    return {}


@op("macie2", "DisableMacie")
def disable_macie(bed: Bed, call: Call) -> dict[str, Any]:
    bed.macie(call).clear()
    return {}


@op("macie2", "CreateClassificationJob")
def create_classification_job(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    ident = hashlib.sha256(f"{bed.seed}{call.account}{call.region}{call.params['name']}".encode()).hexdigest()[:32]
    arn = call.arn(f"classification-job/{ident}")
    bed.macie(call).setdefault("jobs", {})[ident] = {
        **call.params,
        "jobId": ident,
        "jobArn": arn,
        "jobStatus": "RUNNING",
        "createdAt": now(),
        "lastRunTime": now(),
        "statistics": {"numberOfRuns": 1.0, "approximateNumberOfObjectsToProcess": 0.0},
    }
    return {"jobId": ident, "jobArn": arn}


@op("macie2", "ListClassificationJobs")
def list_classification_jobs(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    jobs = [
        {**job, "bucketDefinitions": (job.get("s3JobDefinition") or {}).get("bucketDefinitions")}
        for job in bed.macie(call).get("jobs", {}).values()
    ]
    return paged(call, jobs, "items", 50)


@op("macie2", "DescribeClassificationJob")
def describe_classification_job(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    job = bed.macie(call).get("jobs", {}).get(call.params["jobId"])
    if job is None:
        raise AwsError("ResourceNotFoundException", "The job is not found.", 404)
    return job


def criteria_hold(criteria: dict[str, Any] | None, doc: dict[str, Any]) -> bool:
    for path, rule in ((criteria or {}).get("criterion") or {}).items():
        value = dig(doc, path)
        if isinstance(value, dt.datetime):
            value = value.timestamp() * 1000
        if isinstance(value, bool):
            value = str(value).lower()
        if rule.get("eq") and str(value) not in map(str, rule["eq"]):
            return False
        if rule.get("neq") and str(value) in map(str, rule["neq"]):
            return False
        for name, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
            if rule.get(name) is not None and not compare(value, sign, rule[name]):
                return False
    return True


@op("macie2", "GetAutomatedDiscoveryConfiguration")
def get_automated_discovery(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    return {"status": bed.macie(call).get("discovery", "DISABLED")}


@op("macie2", "ListFindings")
def list_macie_findings(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    found = [
        f["id"]
        for f in bed.macie(call).get("findings", {}).values()
        if criteria_hold(call.params.get("findingCriteria"), f)
    ]
    return paged(call, found, "findingIds", 50)


@op("macie2", "GetFindings")
def get_macie_findings(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    if len(call.params["findingIds"]) > 50:
        raise AwsError("ValidationException", "At most 50 finding IDs.", 400)
    table = bed.macie(call).get("findings", {})
    return {"findings": [table[i] for i in call.params["findingIds"] if i in table]}


@op("macie2", "DescribeBuckets")
def macie_buckets(bed: Bed, call: Call) -> dict[str, Any]:
    macie_session(bed, call)
    buckets = [
        b
        for b in bed.macie(call).get("buckets", {}).values()
        if criteria_hold({"criterion": call.params.get("criteria") or {}}, b)
    ]
    return paged(call, buckets, "buckets", 50)
