"""The seed account `orion`: account 123456789012 (orion-prod), us-east-1 and a little of eu-west-1.

`manifest.json` beside this file says what the controls must find in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from awsbed.identity import assumed_role

from . import alerts, bedrock, beside, buckets, keys, logs, network, roles, scale, story, trail
from .names import ACCOUNT


def plant(planter: Any) -> None:
    """Plant everything, in an order that lets each thing name what it needs."""
    roles.plant(planter)
    arns = keys.plant(planter)
    networks = network.plant(planter)
    buckets.plant(planter, arns)
    bedrock.plant_jobs(planter, arns, networks)
    buckets.age(planter, {job.name: bedrock.dict_of(planter, "job", job.name)["creationTime"] for job in bedrock.JOBS})
    served = bedrock.plant_models(planter, arns)
    bedrock.plant_jobs_on_models(planter, arns)
    logs.plant(planter, arns, served)
    bedrock.plant_settings(planter, arns)
    alerts.plant(planter)
    roles.grant(planter, {**arns, **served})
    keys.age(planter, arns)
    trail.plant(planter, arns)
    beside.plant(planter, arns, networks, served)
    planter.bed.identities.update(
        {
            "ONCALLREADONLY": assumed_role(ACCOUNT, "oncall-readonly", "anna"),
            "ONCALLWRITE": assumed_role(ACCOUNT, "oncall-write", "anna"),
        }
    )


def script(bed: Any) -> Iterator[list[str]]:
    """The steps of the live account."""
    return story.play(bed)
