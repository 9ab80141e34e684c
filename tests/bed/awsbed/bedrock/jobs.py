"""Model customization jobs: create, stop, and how a job ends."""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Any

from ..protocol import AwsError, Call, op
from ..values import now, short_id
from .state import base_model, kms_arn, need_free_name, tag_map

if TYPE_CHECKING:
    from ..bed import Bed


@op("bedrock", "CreateModelCustomizationJob")
def create_job(bed: Bed, call: Call) -> dict[str, Any]:
    p, state, at = call.params, bed.bedrock(call), now()
    need_free_name(state, "job", p["jobName"])
    need_free_name(state, "model", p["customModelName"])
    for member in ("trainingDataConfig", "outputDataConfig"):
        uri = (p.get(member) or {}).get("s3Uri")
        if uri is not None and not uri.startswith("s3://"):
            raise AwsError("ValidationException", f"Invalid S3 URI in {member}: {uri}", 400)
    base_arn, base_name = base_model(call, p["baseModelIdentifier"])
    suffix = f"{base_name}/{short_id(bed.seed, call.account, call.region, 'job', p['jobName'])}"
    stages = {"status": "InProgress", "creationTime": at, "lastModifiedTime": at}
    doc = {
        "jobArn": call.arn(f"model-customization-job/{suffix}"),
        "jobName": p["jobName"],
        "outputModelName": p["customModelName"],
        "customModelName": p["customModelName"],
        "clientRequestToken": p.get("clientRequestToken"),
        "roleArn": p["roleArn"],
        "status": "InProgress",
        "statusDetails": {"validationDetails": dict(stages)},
        "creationTime": at,
        "lastModifiedTime": at,
        "baseModelArn": base_arn,
        "_base_name": base_name,
        "hyperParameters": p.get("hyperParameters") or {},
        "trainingDataConfig": p["trainingDataConfig"],
        "validationDataConfig": p.get("validationDataConfig") or {"validators": []},
        "outputDataConfig": p["outputDataConfig"],
        "customizationType": p.get("customizationType") or "FINE_TUNING",
        "outputModelKmsKeyArn": kms_arn(call, p.get("customModelKmsKeyId")),
        "vpcConfig": p.get("vpcConfig"),
        "customizationConfig": p.get("customizationConfig"),
        "_model_tags": p.get("customModelTags"),
    }
    state.put("job", doc)
    state.tags[doc["jobArn"]] = tag_map(p.get("jobTags"))
    return {"jobArn": doc["jobArn"]}


@op("bedrock", "StopModelCustomizationJob")
def stop_job(bed: Bed, call: Call) -> dict[str, Any]:
    doc = bed.bedrock(call).find("job", call.params["jobIdentifier"])
    if doc["status"] not in ("InProgress", "Stopping"):
        raise AwsError("ConflictException", f"The job is in status {doc['status']} and cannot be stopped.", 409)
    finish_job(bed, call.account, call.region, doc, "Stopped")
    return {}


def finish_job(
    bed: Bed,
    account: str,
    region: str,
    doc: dict[str, Any],
    status: str,
    at: dt.datetime | None = None,
    message: str | None = None,
) -> None:
    """Move a customization job to its end state; a completed one leaves its model."""
    at = at or now()
    doc.update(status=status, lastModifiedTime=at, endTime=at)
    started = doc["creationTime"]
    stage = {"Completed": "Completed", "Failed": "Failed", "Stopped": "Stopped"}.get(status, "InProgress")
    done = {"status": "Completed", "creationTime": started, "lastModifiedTime": at}
    doc["statusDetails"] = {
        "validationDetails": done,
        "dataProcessingDetails": done,
        "trainingDetails": {**done, "status": stage},
    }
    if status == "Failed":
        doc["failureMessage"] = message or "Training data could not be read with the given role."
    if status != "Completed":
        return
    rng = random.Random(doc["jobArn"])
    doc["trainingMetrics"] = {"trainingLoss": round(rng.uniform(0.4, 2.2), 4)}
    if doc["validationDataConfig"]["validators"]:
        doc["validationMetrics"] = [
            {"validationLoss": round(rng.uniform(0.6, 2.6), 4)} for _ in doc["validationDataConfig"]["validators"]
        ]
    arn = doc["jobArn"].replace(":model-customization-job/", ":custom-model/")
    doc["outputModelArn"] = doc["customModelArn"] = arn
    state = bed.bedrock_state(account, region)
    state.put(
        "model",
        {
            "modelArn": arn,
            "modelName": doc["outputModelName"],
            "jobName": doc["jobName"],
            "jobArn": doc["jobArn"],
            "baseModelArn": doc["baseModelArn"],
            "baseModelName": doc["_base_name"],
            "_foundation": doc["baseModelArn"],
            "customizationType": doc["customizationType"],
            "modelKmsKeyArn": doc["outputModelKmsKeyArn"],
            "hyperParameters": doc["hyperParameters"],
            "trainingDataConfig": doc["trainingDataConfig"],
            "validationDataConfig": doc["validationDataConfig"],
            "outputDataConfig": doc["outputDataConfig"],
            "trainingMetrics": doc["trainingMetrics"],
            "validationMetrics": doc.get("validationMetrics"),
            "creationTime": at,
            "ownerAccountId": account,
            "modelStatus": "Active",
        },
    )
    state.tags[arn] = tag_map(doc.get("_model_tags"))
