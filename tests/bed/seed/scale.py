"""A large account: as many more jobs, models and keys as asked for, made like their small neighbours."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

from awsbed.values import short_id

from . import keys as key_policies
from .names import ACCOUNT, HOME

PER_KEY, PER_DEPLOYMENT = 10, 10


def plant(planter: Any, count: int) -> None:
    """`count` completed jobs with a model each, a key for every ten, a deployment for every ten."""
    state = planter.bed.bedrock_state(ACCOUNT, HOME)
    job, model = state.find("job", "orion-chat-1"), state.find("model", "orion-chat-v1")
    deployment = state.find("deployment", "orion-chat-live")
    kms, now = planter.client("kms", HOME), dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    policy = json.dumps({"Version": "2012-10-17", "Statement": key_policies.POLICIES["orion-std"]})
    key = ""
    for number in range(count):
        if number % PER_KEY == 0:
            key = kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
            kms.create_alias(AliasName=f"alias/scale-{number // PER_KEY:05d}", TargetKeyId=key)
        name, made = f"scale-{number:05d}", now - dt.timedelta(days=30, minutes=number)
        ident = short_id("scale", name)
        job_arn = f"{job['jobArn'].rsplit('/', 1)[0]}/{ident}"
        model_arn = f"{model['modelArn'].rsplit('/', 1)[0]}/{ident}"
        common = {"creationTime": made, "jobName": f"{name}-job", "jobArn": job_arn}
        state.put(
            "job",
            {
                **copy.deepcopy(job),
                **common,
                "outputModelName": name,
                "customModelName": name,
                "outputModelArn": model_arn,
                "customModelArn": model_arn,
                "outputModelKmsKeyArn": key,
            },
        )
        state.put("model", {**copy.deepcopy(model), **common, "modelArn": model_arn, "modelName": name, "modelKmsKeyArn": key})
        state.tags[job_arn] = state.tags[model_arn] = {"team": "orion"}
        if number % PER_DEPLOYMENT == 0:
            arn = f"{deployment['customModelDeploymentArn'].rsplit('/', 1)[0]}/{ident}"
            again = {"customModelDeploymentArn": arn, "modelDeploymentName": name, "modelArn": model_arn}
            state.put("deployment", {**copy.deepcopy(deployment), **again})
