"""CloudTrail: the trail itself and the last 24 hours of event history."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from typing import Any

from awsbed.identity import assumed_role
from awsbed.values import UTC, iso, now, short_id

from .names import ACCOUNT, HOME, PARTNER, bedrock_arn, role_arn

KMS, BEDROCK, IAM, STS = (f"{name}.amazonaws.com" for name in ("kms", "bedrock", "iam", "sts"))
OFFICE, RUNNER = "203.0.113.20", "198.51.100.7"
CLI = "aws-cli/2.31.4 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 md/arch#x86_64 lang/python#3.13.7"
CONSOLE = "AWS Internal"
READS = ("Get", "List", "Describe", "Decrypt", "Lookup", "InvokeModel")


class Recorder:
    """Writes events as CloudTrail would, with identifiers that depend on the order alone."""

    def __init__(self, bed: Any, seed: str):
        self.history, self.rng = bed.history(ACCOUNT, HOME), random.Random(seed)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def write(
        self,
        at: dt.datetime,
        who: dict[str, Any],
        source: str,
        name: str,
        params: dict[str, Any] | None = None,
        *,
        ip: str = OFFICE,
        agent: str = CLI,
        via: str | None = None,
        resource: tuple[str, str] | None = None,
        error: tuple[str, str] | None = None,
        response: dict[str, Any] | None = None,
    ) -> None:
        """One event. `via` is the service that called on the identity's behalf."""
        identity = {**who, "accessKeyId": "ASIA" + short_id(who["arn"], length=16).upper()}
        if via:
            identity["invokedBy"] = ip = agent = via
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": iso(at),
            "eventSource": source,
            "eventName": name,
            "awsRegion": HOME,
            "sourceIPAddress": ip,
            "userAgent": agent,
            "requestParameters": params,
            "responseElements": response,
            "requestID": self.uuid(),
            "eventID": self.uuid(),
            "readOnly": name.startswith((*READS, "GenerateDataKey")),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "_resources": [],
        }
        if error:
            record["errorCode"], record["errorMessage"] = error
        if resource:
            kind, arn = resource
            record["resources"] = [{"accountId": ACCOUNT, "type": kind, "ARN": arn}]
            record["_resources"] = [{"ResourceType": kind, "ResourceName": arn}]
        if not via:
            record["tlsDetails"] = {
                "tlsVersion": "TLSv1.3",
                "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": f"{source.split('.')[0]}.{HOME}.amazonaws.com",
            }
        self.history.add(record)

    def key_use(
        self,
        at: dt.datetime,
        role: str,
        session: str,
        name: str,
        key: str,
        *,
        via: str | None = BEDROCK,
        denied: bool = False,
        ip: str = RUNNER,
    ) -> None:
        """Use of a key by a role: Decrypt, GenerateDataKey, DescribeKey, CreateGrant."""
        params: dict[str, Any] = {"keyId": key}
        if name in ("Decrypt", "GenerateDataKey"):
            params["encryptionContext"] = {"aws:bedrock:arn": bedrock_arn("custom-model/*")} if via else None
        if name == "CreateGrant":
            params.update(granteePrincipal=BEDROCK, operations=["Decrypt", "GenerateDataKey"])
        who = assumed_role(ACCOUNT, role, session)
        error = None
        if denied:
            error = (
                "AccessDenied",
                f"User: {who['arn']} is not authorized to perform: kms:{name} on resource: {key} "
                f"because no identity-based policy allows the kms:{name} action",
            )
        self.write(at, who, KMS, name, params, via=via, ip=ip, resource=("AWS::KMS::Key", key), error=error)

    def invoke(self, at: dt.datetime, role: str, session: str, model: str) -> None:
        """An application invokes a model."""
        who = assumed_role(ACCOUNT, role, session)
        self.write(
            at, who, BEDROCK, "InvokeModel", {"modelId": model}, ip="10.20.1.17", agent="aws-sdk-rust/1.3.8 os/linux"
        )


def plant(planter: Any, keys: dict[str, str]) -> None:
    trail = planter.client("cloudtrail", HOME)
    trail.create_trail(
        Name="orion-trail",
        S3BucketName="orion-logs",
        S3KeyPrefix="trail",
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        KmsKeyId=keys["orion-logs"],
    )
    trail.start_logging(Name="orion-trail")
    trail.put_event_selectors(
        TrailName="orion-trail",
        EventSelectors=[
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "ExcludeManagementEventSources": [],
                "DataResources": [
                    {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::orion-train/", "arn:aws:s3:::orion-out/"]}
                ],
            }
        ],
    )
    planter.backend("cloudtrail", HOME).trails["orion-trail"].status.started -= dt.timedelta(days=640)
    recorder, end = Recorder(planter.bed, "history"), now().replace(microsecond=0)
    daily_use(recorder, end, keys, planter)
    changes(recorder, end, keys, planter)


def daily_use(recorder: Recorder, end: dt.datetime, keys: dict[str, str], planter: Any) -> None:
    """What happens all day: applications decrypt, jobs make data keys, people look."""
    rng, chat, std, law = recorder.rng, keys["orion-chat"], keys["orion-std"], keys["orion-law"]
    live = next(iter(planter.bed.bedrock_state(ACCOUNT, HOME).kinds["deployment"]))
    for _ in range(40):
        recorder.invoke(ago(end, rng.triangular(1, 1430, 60)), "App", f"s{rng.randint(1, 4)}", live)
    for _ in range(120):
        recorder.key_use(ago(end, rng.triangular(1, 1430, 60)), "App", f"s{rng.randint(1, 4)}", "Decrypt", chat)
    for _ in range(30):
        recorder.key_use(ago(end, rng.uniform(1, 1430)), "AppGreedy", "batch", "Decrypt", std)
    for _ in range(14):
        recorder.key_use(ago(end, rng.uniform(30, 1430)), "AppLaw", "law", "Decrypt", law, denied=True)
    for _ in range(18):
        recorder.key_use(ago(end, rng.uniform(15, 72)), "OrionTuner", "BedrockCustomization", "GenerateDataKey", chat)
    for _ in range(6):
        recorder.key_use(ago(end, rng.uniform(15, 72)), "OrionTuner", "BedrockCustomization", "DescribeKey", chat)
    for number in range(22):
        recorder.key_use(
            ago(end, 36 - 1.5 * number), "ci-runner", "build-812", "Decrypt", chat, via=None, denied=number % 8 != 0
        )
    anna = assumed_role(ACCOUNT, "oncall-readonly", "anna")
    for number in range(16):
        minutes = 80 + 80 * number
        recorder.write(
            ago(end, minutes + 1),
            user("anna"),
            STS,
            "AssumeRole",
            {"roleArn": role_arn("oncall-readonly"), "roleSessionName": "anna", "durationSeconds": 3600},
        )
        recorder.write(ago(end, minutes), anna, BEDROCK, "ListModelCustomizationJobs", {"maxResults": 100})
        recorder.write(
            ago(end, minutes - 1),
            anna,
            KMS,
            "GetKeyPolicy",
            {"keyId": chat, "policyName": "default"},
            resource=("AWS::KMS::Key", chat),
        )


def changes(recorder: Recorder, end: dt.datetime, keys: dict[str, str], planter: Any) -> None:
    """The few events that matter."""
    chat, law = keys["orion-chat"], keys["orion-law"]
    zoe, runner = assumed_role(ACCOUNT, "KeyAdmins", "zoe"), assumed_role(ACCOUNT, "ci-runner", "build-812")
    recorder.write(
        ago(end, 1420),
        zoe,
        KMS,
        "ScheduleKeyDeletion",
        {"keyId": law, "pendingWindowInDays": 7},
        resource=("AWS::KMS::Key", law),
        response={"keyId": law, "keyState": "PendingDeletion"},
    )
    recorder.write(
        ago(end, 185),
        zoe,
        IAM,
        "UpdateAssumeRolePolicy",
        {"roleName": "TunerRoleOpen", "policyDocument": "{}"},
        resource=("AWS::IAM::Role", role_arn("TunerRoleOpen")),
    )
    recorder.write(
        ago(end, 90),
        zoe,
        KMS,
        "PutKeyPolicy",
        {"keyId": chat, "policyName": "default", "bypassPolicyLockoutSafetyCheck": False},
        resource=("AWS::KMS::Key", chat),
    )
    recorder.key_use(ago(end, 72 - 49), "OrionTuner", "BedrockCustomization", "CreateGrant", chat, denied=True)
    for job in planter.bed.bedrock_state(ACCOUNT, HOME).kinds["job"].values():
        if job["creationTime"] > ago(end, 1440):
            created_job(recorder, job, runner)
    recorder.write(ago(end, 20), runner, BEDROCK, "DeleteModelInvocationLoggingConfiguration", None, ip=RUNNER)
    recorder.write(
        ago(end, 11),
        runner,
        BEDROCK,
        "PutModelInvocationLoggingConfiguration",
        {"loggingConfig": {"textDataDeliveryEnabled": True}},
        ip=RUNNER,
    )
    recorder.write(
        ago(end, 4),
        zoe,
        KMS,
        "CreateGrant",
        {
            "keyId": chat,
            "granteePrincipal": f"arn:aws:iam::{PARTNER}:role/model-sync",
            "name": "sync",
            "operations": ["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant"],
        },
        ip="203.0.113.99",
        agent=CONSOLE,
        resource=("AWS::KMS::Key", chat),
    )


def created_job(recorder: Recorder, job: dict[str, Any], who: dict[str, Any]) -> None:
    """CreateModelCustomizationJob as it is written down."""
    params = {
        "jobName": job["jobName"],
        "customModelName": job["outputModelName"],
        "roleArn": job["roleArn"],
        "baseModelIdentifier": job["baseModelArn"],
        "customizationType": job["customizationType"],
        "trainingDataConfig": job["trainingDataConfig"],
        "outputDataConfig": job["outputDataConfig"],
    }
    if job.get("outputModelKmsKeyArn"):
        params["customModelKmsKeyId"] = job["outputModelKmsKeyArn"]
    if job.get("vpcConfig"):
        params["vpcConfig"] = json.loads(json.dumps(job["vpcConfig"]))
    recorder.write(
        job["creationTime"].astimezone(UTC),
        who,
        BEDROCK,
        "CreateModelCustomizationJob",
        params,
        ip=RUNNER,
        resource=("AWS::Bedrock::ModelCustomizationJob", job["jobArn"]),
        response={"jobArn": job["jobArn"]},
    )


def user(name: str) -> dict[str, Any]:
    return {
        "type": "IAMUser",
        "principalId": "AIDA" + short_id(name, length=17).upper(),
        "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "accountId": ACCOUNT,
        "userName": name,
    }


def ago(end: dt.datetime, minutes: float) -> dt.datetime:
    return end - dt.timedelta(minutes=minutes)
