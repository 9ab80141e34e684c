"""The live account, step by step; five seconds apart when the bed plays it by itself.

Every step an application decrypts and invokes; every third one a denied Decrypt comes
in from outside. Steps 2, 4 and 8 move orion-chat-3 on to its end; step 10 starts a
new job, step 14 changes a key policy, step 16 touches a rule, step 20 ends that job.
From step 24 on it starts over with the next job.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from awsbed.bedrock.jobs import finish_job
from awsbed.bedrock.state import BedrockState
from awsbed.identity import assumed_role
from awsbed.values import now, short_id
from moto.backends import get_backend

from . import logs
from .bedrock import HAIKU, phases
from .names import ACCOUNT, HOME, bedrock_arn, role_arn
from .trail import KMS, RUNNER, Recorder, created_job

ROUND = 24


def play(bed: Any) -> Iterator[list[str]]:
    """Each item: what one step did."""
    recorder, rng = Recorder(bed, "live"), random.Random("live")
    state, job_name, number = bed.bedrock_state(ACCOUNT, HOME), "orion-chat-3", 0
    backend = get_backend("kms")[ACCOUNT][HOME]
    chat = backend.describe_key(backend.get_key_id_from_alias("alias/orion-chat")).arn
    served = served_arns(state)
    while True:
        number += 1
        step, happened = number % ROUND, ["App decrypts with orion-chat and invokes a model"]
        recorder.key_use(now(), "App", f"s{number % 4 + 1}", "Decrypt", chat)
        recorder.invoke(now(), "App", f"s{number % 4 + 1}", served["orion-chat-live"])
        logs.write(bed, [logs.record(rng, now().timestamp(), served)])
        if number % 3 == 0:
            recorder.key_use(now(), "ci-runner", "build-813", "Decrypt", chat, via=None, denied=True)
            happened.append("ci-runner is denied Decrypt on orion-chat")
        if step in (2, 4) and job_name in state.by_name["job"]:
            happened.append(advance(state.find("job", job_name), step // 2))
        elif step in (8, 20) and state.by_name["job"].get(job_name):
            happened += complete(bed, state, job_name)
        elif step == 10:
            job_name = f"orion-live-{number // ROUND + 1}"
            happened.append(start_job(recorder, state, job_name, chat))
        elif step in (12, 15):
            happened.append(advance(state.find("job", job_name), 1 if step == 12 else 2))
        elif step == 14:
            happened.append(change_policy(recorder, backend.describe_key(chat)))
        elif step == 16:
            who = assumed_role(ACCOUNT, "oncall-write", "anna")
            recorder.write(
                now(), who, "events.amazonaws.com", "PutRule", {"name": "orion-customization", "state": "ENABLED"}
            )
            happened.append("PutRule orion-customization by oncall-write")
        yield happened


def served_arns(state: BedrockState) -> dict[str, str]:
    """What answers invocations, by name."""
    named = {doc["provisionedModelName"]: arn for arn, doc in state.kinds["provisioned"].items()}
    return {**named, **{doc["modelDeploymentName"]: arn for arn, doc in state.kinds["deployment"].items()}}


def advance(job: dict[str, Any], done: int) -> str:
    """One phase more is over, if the job still runs."""
    if job["status"] != "InProgress":
        return f"{job['jobName']} is {job['status']} already"
    job["statusDetails"] = phases(job["creationTime"], (3, 6, 9)[: done + 1], "InProgress")
    job["lastModifiedTime"] = now()
    return f"{job['jobName']}: {done} of 3 phases done"


def complete(bed: Any, state: BedrockState, name: str) -> list[str]:
    job = state.find("job", name)
    if job["status"] != "InProgress":
        return [f"{name} is {job['status']} already"]
    finish_job(bed, ACCOUNT, HOME, job, "Completed")
    return [f"{name} completes, model {job['outputModelName']} appears"]


def start_job(recorder: Recorder, state: BedrockState, name: str, key: str) -> str:
    """A healthy job, as its creation leaves it."""
    template, at = state.find("job", "orion-chat-1"), now()
    copied = (
        "baseModelArn",
        "_base_name",
        "hyperParameters",
        "trainingDataConfig",
        "validationDataConfig",
        "outputDataConfig",
        "customizationType",
        "vpcConfig",
    )
    job = {
        **{member: template[member] for member in copied},
        "jobName": name,
        "outputModelName": f"{name}-model",
        "customModelName": f"{name}-model",
        "roleArn": role_arn("OrionTuner"),
        "outputModelKmsKeyArn": key,
        "jobArn": bedrock_arn(f"model-customization-job/{HAIKU}/{short_id(name)}"),
        "status": "InProgress",
        "creationTime": at,
        "lastModifiedTime": at,
        "statusDetails": phases(at, (0,), "InProgress"),
    }
    state.put("job", job)
    state.tags[job["jobArn"]] = {"team": "orion"}
    created_job(recorder, job, assumed_role(ACCOUNT, "ci-runner", "build-813"))
    return f"{name} starts"


def change_policy(recorder: Recorder, key: Any) -> str:
    """Someone lets ci-runner describe the key: a small change that must be seen."""
    document, sid = json.loads(key.policy), "LiveAudit"
    document["Statement"] = [s for s in document["Statement"] if s.get("Sid") != sid]
    document["Statement"].append(
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": role_arn("ci-runner")},
            "Action": "kms:DescribeKey",
            "Resource": "*",
        }
    )
    key.policy = json.dumps(document, indent=2)
    recorder.write(
        now(),
        assumed_role(ACCOUNT, "KeyAdmins", "zoe"),
        KMS,
        "PutKeyPolicy",
        {"keyId": key.arn, "policyName": "default"},
        ip=RUNNER,
        resource=("AWS::KMS::Key", key.arn),
    )
    return "PutKeyPolicy on orion-chat by KeyAdmins/zoe"
