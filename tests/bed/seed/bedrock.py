"""Bedrock: jobs, the models they left, what serves them, guardrails and logging."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from awsbed.bedrock.jobs import finish_job

from .beside import GRADER
from .buckets import metrics
from .names import ABROAD, ACCOUNT, HOME, INVOCATION_GROUP, PARTNER, role_arn
from .network import Network

HAIKU, TITAN, NOVA = "anthropic.claude-3-haiku-20240307-v1:0", "amazon.titan-text-express-v1", "amazon.nova-lite-v1:0"
HOSTILE = "\x1b[2J\x1b[31mPWNED\x1b[0m \u202egnp.exe\u202c\r\n\x07"
CREATE_GRANT_DENIED = (
    "AccessDenied: User: arn:aws:sts::{account}:assumed-role/OrionTuner/BedrockCustomization is not authorized to "
    "perform: kms:CreateGrant on resource: {key} because no identity-based policy allows the kms:CreateGrant action"
)


@dataclass(frozen=True)
class Job:
    """One customization job: `hours` since its start, `took` minutes for each phase."""

    name: str
    model: str
    kind: str
    base: str
    role: str
    key: str | None
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    status: str
    hours: float
    took: tuple[int, int, int] = (3, 6, 90)
    topic: str = "chat"
    message: str | None = None


ISOLATED = (("orion-iso-a", "orion-iso-b"), ("sg-tuner",))
NOWHERE: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
# fmt: off
JOBS = (
    Job("orion-old-0", "orion-old-v1", "FINE_TUNING", TITAN, "TunerRoleLost", None, *NOWHERE, "Stopped", 24 * 62, (2, 4, 5), "std"),
    Job("orion-old-1", "orion-old-v1", "FINE_TUNING", TITAN, "TunerRolePublic", None, *NOWHERE, "Stopped", 24 * 61, (2, 4, 30), "std"),
    Job("orion-law-1", "orion-law-v1", "FINE_TUNING", HAIKU, "TunerRoleRegion", "orion-law", ("lab-nat-a",), ("sg-gone",), "Completed", 24 * 45, (4, 8, 160), "law"),
    Job("orion-shared-1", "orion-shared-v1", "DISTILLATION", NOVA, "TunerRoleWide", "orion-shared", ("lab-pub-a", "lab-ip-a"), ("sg-lab",), "Completed", 24 * 31, (3, 9, 200), "shared"),
    Job("orion-std-1", "orion-std-v1", "CONTINUED_PRE_TRAINING", TITAN, "OrionTuner", "orion-std", *ISOLATED, "Completed", 24 * 24, (5, 12, 340), "std"),
    Job("orion-chat-1", "orion-chat-v1", "FINE_TUNING", HAIKU, "OrionTuner", "orion-chat", *ISOLATED, "Completed", 24 * 21 + 4),
    Job("orion-plain-0", "orion-plain-v1", "FINE_TUNING", NOVA, "TunerRoleNoArn", None, *NOWHERE, "Stopped", 24 * 12, (3, 5, 11)),
    Job("orion-plain-1", "orion-plain-v1", "FINE_TUNING", NOVA, "TunerRoleOpen", None, *NOWHERE, "Completed", 24 * 9, (3, 5, 70)),
    Job("orion-research-1", "orion-research-v1", "FINE_TUNING", HAIKU, "TunerRoleImport", "orion-research", ("lab-tgw-a", "lab-gone-a"), ("sg-lab",), "Failed", 26, (3, 7, 2), "std",
        "AccessDenied: s3:GetObject on s3://orion-train/std/train.jsonl: the role could not be assumed for model-customization-job"),
    Job("orion-chat-2", "orion-chat-v2", "FINE_TUNING", HAIKU, "OrionTuner", "orion-chat", *ISOLATED, "Failed", 1.2, (3, 6, 41), "chat", CREATE_GRANT_DENIED),
    Job("orion-fast-1", "orion-fast-v1", "REINFORCEMENT_FINE_TUNING", NOVA, "TunerRoleDocs", None, *NOWHERE, "InProgress", 0.5),
    Job("orion-chat-3", "orion-chat-v2", "FINE_TUNING", HAIKU, "OrionTuner", "orion-chat", *ISOLATED, "InProgress", 0.3),
)
# fmt: on
PHASES = ("validationDetails", "dataProcessingDetails", "trainingDetails")


def phases(start: dt.datetime, took: tuple[int, ...], last: str) -> dict[str, Any]:
    """statusDetails with every phase but the last completed; `took` may end early."""
    details, at = {}, start
    for number, name in enumerate(PHASES):
        if number >= len(took):
            details[name] = {"status": "NotStarted"}
            continue
        begun, at = at, at + dt.timedelta(minutes=took[number])
        status = last if number == len(took) - 1 else "Completed"
        details[name] = {"status": status, "creationTime": begun, "lastModifiedTime": at}
    return details


def create(planter: Any, job: Job, keys: dict[str, str], network: Network) -> dict[str, Any]:
    """The job as CreateModelCustomizationJob leaves it."""
    request: dict[str, Any] = {
        "jobName": job.name,
        "customModelName": job.model,
        "roleArn": role_arn(job.role),
        "baseModelIdentifier": job.base,
        "customizationType": job.kind,
        "trainingDataConfig": {"s3Uri": f"s3://orion-train/{job.topic}/train.jsonl"},
        "outputDataConfig": {"s3Uri": f"s3://orion-out/{job.topic}/"},
        "hyperParameters": {"epochCount": "3", "batchSize": "8", "learningRate": "0.00001"},
        "jobTags": [{"key": "team", "value": "orion"}],
        "customModelTags": [{"key": "team", "value": "orion"}],
    }
    if job.topic in ("chat", "law"):
        request["validationDataConfig"] = {"validators": [{"s3Uri": f"s3://orion-val/{job.topic}/val.jsonl"}]}
    if job.key:
        request["customModelKmsKeyId"] = keys[job.key]
    if job.subnets:
        request["vpcConfig"] = {
            "subnetIds": [network.subnets[n] for n in job.subnets],
            "securityGroupIds": [network.groups[n] for n in job.groups],
        }
    if job.kind == "REINFORCEMENT_FINE_TUNING":
        request["customizationConfig"] = {"rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": GRADER}}}}
    if job.kind == "DISTILLATION":
        # It learns from every logged prompt and answer: no filter narrows what is read.
        request["trainingDataConfig"]["invocationLogsConfig"] = {
            "invocationLogSource": {"s3Uri": "s3://orion-logs/invocations/"},
            "usePromptResponse": True,
        }
        request["customizationConfig"] = {
            "distillationConfig": {
                "teacherModelConfig": {
                    "teacherModelIdentifier": "amazon.nova-pro-v1:0",
                    "maxResponseLengthForInference": 1000,
                }
            }
        }
    planter.client("bedrock", HOME).create_model_customization_job(**request)
    return dict_of(planter, "job", job.name)


def dict_of(planter: Any, kind: str, name: str, region: str = HOME) -> dict[str, Any]:
    return planter.bed.bedrock_state(ACCOUNT, region).find(kind, name)


def plant_jobs(planter: Any, keys: dict[str, str], network: Network) -> None:
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    for job in JOBS:
        doc, start = create(planter, job, keys, network), now - dt.timedelta(hours=job.hours)
        doc["creationTime"] = doc["lastModifiedTime"] = start
        if job.status == "InProgress":
            took = (3, 6, 9) if job.key else (3, 20)
            doc["statusDetails"] = phases(start, took, "InProgress")
            continue
        message = job.message.format(account=ACCOUNT, key=keys[job.key or ""]) if job.message else None
        end = start + dt.timedelta(minutes=sum(job.took))
        finish_job(planter.bed, ACCOUNT, HOME, doc, job.status, end, message)
        doc["statusDetails"] = phases(start, job.took, job.status)
        if job.status == "Completed" or job.name == "orion-chat-2":
            metrics(
                planter.client("s3", HOME),
                job.topic,
                doc["jobArn"].rsplit("/", 1)[-1],
                360,
                job.topic in ("chat", "law"),
            )
    planter.bed.bedrock_state(ACCOUNT, HOME).tags[dict_of(planter, "job", "orion-old-1")["jobArn"]]["note"] = HOSTILE


def plant_models(planter: Any, keys: dict[str, str]) -> dict[str, str]:
    """Models that came another way, and what serves models. Returns ARNs that roles name."""
    client, state = planter.client("bedrock", HOME), planter.bed.bedrock_state(ACCOUNT, HOME)
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)

    def back(kind: str, name: str, days: float, **more: Any) -> dict[str, Any]:
        doc = dict_of(planter, kind, name)
        for member in ("creationTime", "lastModifiedTime", "endTime", "createdAt", "lastUpdatedAt", "updatedAt"):
            if member in doc:
                doc[member] = now - dt.timedelta(days=days)
        doc.update(more)
        return doc

    client.create_custom_model(
        modelName="orion-managed-v1",
        modelKmsKeyArn=keys["aws/s3"],
        roleArn=role_arn("OrionImport"),
        modelSourceConfig={"s3DataSource": {"s3Uri": "s3://orion-imports/managed/"}},
    )
    back("model", "orion-managed-v1", 14)
    client.create_model_import_job(
        jobName="orion-eyes-import",
        importedModelName="orion-eyes",
        roleArn=role_arn("OrionImport"),
        modelDataSource={"s3DataSource": {"s3Uri": "s3://orion-imports/eyes/"}},
        importedModelKmsKeyId=keys["orion-eyes"],
    )
    back("import_job", "orion-eyes-import", 7), back("imported_model", "orion-eyes", 7)
    state.put(
        "model",
        {
            "modelArn": f"arn:aws:bedrock:{HOME}:{PARTNER}:custom-model/{NOVA}/partner00tuned",
            "modelName": "partner-tuned",
            "baseModelArn": f"arn:aws:bedrock:{HOME}::foundation-model/{NOVA}",
            "baseModelName": NOVA,
            "customizationType": "FINE_TUNING",
            "creationTime": now - dt.timedelta(days=80),
            "ownerAccountId": PARTNER,
            "modelStatus": "Active",
        },
    )
    state.put(
        "copy_job",
        {
            "jobArn": f"arn:aws:bedrock:{HOME}:{ACCOUNT}:model-copy-job/guestcopy001",
            "status": "Failed",
            "creationTime": now - dt.timedelta(days=5),
            "targetModelName": "orion-guest-v1",
            "targetModelTags": [],
            "targetModelArn": f"arn:aws:bedrock:{HOME}:{ACCOUNT}:custom-model/{NOVA}/guestmodel01",
            "sourceAccountId": PARTNER,
            "sourceModelArn": f"arn:aws:bedrock:{HOME}:{PARTNER}:custom-model/{NOVA}/partner00tuned",
            "sourceModelName": "partner-tuned",
            "failureMessage": "Access denied to the source model.",
        },
    )

    found = {}
    for name, model, days in (
        ("orion-chat-pt", "orion-chat-v1", 21),
        ("orion-std-pt", "orion-std-v1", 20),
        ("orion-law-pt", "orion-law-v1", 40),
    ):
        term = {"commitmentDuration": "OneMonth"} if name == "orion-chat-pt" else {}
        found[name] = client.create_provisioned_model_throughput(
            provisionedModelName=name, modelId=model, modelUnits=1, **term
        )["provisionedModelArn"]
        back("provisioned", name, days)
    dict_of(planter, "provisioned", "orion-chat-pt")["commitmentExpirationTime"] = now + dt.timedelta(days=9)
    found["orion-chat-live"] = client.create_custom_model_deployment(
        modelDeploymentName="orion-chat-live", modelArn=dict_of(planter, "model", "orion-chat-v1")["modelArn"]
    )["customModelDeploymentArn"]
    back("deployment", "orion-chat-live", 18)
    client.put_resource_policy(
        resourceArn=dict_of(planter, "model", "orion-shared-v1")["modelArn"],
        resourcePolicy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"},
                        "Action": ["bedrock:GetCustomModel", "bedrock:CreateModelCopyJob"],
                        "Resource": dict_of(planter, "model", "orion-shared-v1")["modelArn"],
                    }
                ],
            }
        ),
    )

    planter.client("bedrock", ABROAD).create_model_copy_job(
        sourceModelArn=dict_of(planter, "model", "orion-std-v1")["modelArn"], targetModelName="orion-std-eu"
    )
    for kind, name in (("copy_job", "orion-std-eu"), ("model", "orion-std-eu")):
        dict_of(planter, kind, name, ABROAD)["creationTime"] = now - dt.timedelta(days=11)
    return found


def plant_jobs_on_models(planter: Any, keys: dict[str, str]) -> None:
    """An evaluation and a batch job, each on a custom model; no call of this bed creates them."""
    state, now = planter.bed.bedrock_state(ACCOUNT, HOME), dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    chat, std = (dict_of(planter, "model", name)["modelArn"] for name in ("orion-chat-v1", "orion-std-v1"))
    state.put(
        "evaluation_job",
        {
            "jobArn": f"arn:aws:bedrock:{HOME}:{ACCOUNT}:evaluation-job/orionchateval",
            "jobName": "orion-chat-eval",
            "status": "Completed",
            "jobType": "Automated",
            "applicationType": "ModelEvaluation",
            "roleArn": role_arn("OrionTuner"),
            "customerEncryptionKeyId": keys["orion-std"],
            "creationTime": now - dt.timedelta(days=6),
            "lastModifiedTime": now - dt.timedelta(days=6),
            "evaluationTaskTypes": ["QuestionAndAnswer"],
            "modelIdentifiers": [chat],
            "evaluationConfig": {
                "automated": {
                    "datasetMetricConfigs": [
                        {
                            "taskType": "QuestionAndAnswer",
                            "dataset": {"name": "Builtin.BoolQ"},
                            "metricNames": ["Builtin.Accuracy"],
                        }
                    ]
                }
            },
            "inferenceConfig": {"models": [{"bedrockModel": {"modelIdentifier": chat, "inferenceParams": "{}"}}]},
            "outputDataConfig": {"s3Uri": "s3://orion-out/eval/"},
        },
    )
    state.put(
        "invocation_job",
        {
            "jobArn": f"arn:aws:bedrock:{HOME}:{ACCOUNT}:model-invocation-job/orionbatch01",
            "jobName": "orion-batch-1",
            "modelId": std,
            "roleArn": role_arn("OrionTuner"),
            "status": "Completed",
            "submitTime": now - dt.timedelta(days=3),
            "lastModifiedTime": now - dt.timedelta(days=3),
            "endTime": now - dt.timedelta(days=2, hours=22),
            "inputDataConfig": {"s3InputDataConfig": {"s3InputFormat": "JSONL", "s3Uri": "s3://orion-train/std/"}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://orion-out/batch/"}},
            "timeoutDurationInHours": 24,
        },
    )


def plant_settings(planter: Any, keys: dict[str, str]) -> None:
    """Guardrails and invocation logging; eu-west-1 keeps logging off."""
    client = planter.client("bedrock", HOME)
    strong = client.create_guardrail(
        name="orion-guard",
        description="customer chat",
        kmsKeyId=keys["orion-std"],
        blockedInputMessaging="Sorry, no.",
        blockedOutputsMessaging="Sorry, no.",
        contentPolicyConfig={
            "filtersConfig": [
                {"type": "PROMPT_ATTACK", "inputStrength": "HIGH", "outputStrength": "NONE"},
                {"type": "HATE", "inputStrength": "HIGH", "outputStrength": "HIGH"},
            ]
        },
        sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]},
        tags=[{"key": "team", "value": "orion"}],
    )
    for _ in range(2):
        client.create_guardrail_version(guardrailIdentifier=strong["guardrailId"])
    weak = client.create_guardrail(
        name="orion-guard-weak",
        blockedInputMessaging="no",
        blockedOutputsMessaging="no",
        contentPolicyConfig={"filtersConfig": [{"type": "HATE", "inputStrength": "LOW", "outputStrength": "LOW"}]},
    )
    client.create_guardrail_version(guardrailIdentifier=weak["guardrailId"])
    made = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=33)
    for versions in planter.bed.bedrock_state(ACCOUNT, HOME).guardrails.values():
        for version in versions.values():
            version["createdAt"] = version["updatedAt"] = made
    large = {"bucketName": "orion-logs", "keyPrefix": "invocations"}
    client.put_model_invocation_logging_configuration(
        loggingConfig={
            "cloudWatchConfig": {
                "logGroupName": INVOCATION_GROUP,
                "roleArn": role_arn("BedrockLogging"),
                "largeDataDeliveryS3Config": large,
            },
            "s3Config": large,
            "textDataDeliveryEnabled": True,
            "imageDataDeliveryEnabled": True,
            "embeddingDataDeliveryEnabled": True,
        }
    )
