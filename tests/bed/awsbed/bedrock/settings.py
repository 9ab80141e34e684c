"""Invocation logging, tags, resource policies and account settings of Bedrock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..protocol import AwsError, Call, op
from ..values import now
from .state import tag_map

if TYPE_CHECKING:
    from ..bed import Bed


@op("bedrock", "PutModelInvocationLoggingConfiguration")
def put_logging(bed: Bed, call: Call) -> dict[str, Any]:
    config = call.params["loggingConfig"]
    for member in ("text", "image", "embedding", "video", "audio"):
        config.setdefault(f"{member}DataDeliveryEnabled", True)
    bed.bedrock(call).logging = config
    return {}


@op("bedrock", "GetModelInvocationLoggingConfiguration")
def get_logging(bed: Bed, call: Call) -> dict[str, Any]:
    config = bed.bedrock(call).logging
    return {"loggingConfig": config} if config else {}


@op("bedrock", "DeleteModelInvocationLoggingConfiguration")
def delete_logging(bed: Bed, call: Call) -> dict[str, Any]:
    bed.bedrock(call).logging = None
    return {}


def taggable(bed: Bed, call: Call) -> dict[str, str]:
    state, arn = bed.bedrock(call), call.params["resourceARN"]
    if not state.has_arn(arn):
        raise AwsError("ResourceNotFoundException", f"The resource is not found: {arn}", 404)
    return state.tags.setdefault(arn, {})


@op("bedrock", "TagResource")
def tag_resource(bed: Bed, call: Call) -> dict[str, Any]:
    taggable(bed, call).update(tag_map(call.params["tags"]))
    return {}


@op("bedrock", "UntagResource")
def untag_resource(bed: Bed, call: Call) -> dict[str, Any]:
    tags = taggable(bed, call)
    for key in call.params["tagKeys"]:
        tags.pop(key, None)
    return {}


@op("bedrock", "ListTagsForResource")
def list_tags(bed: Bed, call: Call) -> dict[str, Any]:
    return {"tags": [{"key": k, "value": v} for k, v in taggable(bed, call).items()]}


@op("bedrock", "PutResourcePolicy")
def put_resource_policy(bed: Bed, call: Call) -> dict[str, Any]:
    bed.bedrock(call).policies[call.params["resourceArn"]] = call.params["resourcePolicy"]
    return {"resourceArn": call.params["resourceArn"]}


@op("bedrock", "GetResourcePolicy")
def get_resource_policy(bed: Bed, call: Call) -> dict[str, Any]:
    policy = bed.bedrock(call).policies.get(call.params["resourceArn"])
    if policy is None:
        raise AwsError("ResourceNotFoundException", "The resource has no policy.", 404)
    return {"resourcePolicy": policy}


@op("bedrock", "ListEnforcedGuardrailsConfiguration")
def list_enforced(bed: Bed, call: Call) -> dict[str, Any]:
    return {"guardrailsConfig": list(bed.bedrock(call).enforced_guardrails.values())}


@op("bedrock", "GetAccountDataRetention")
def get_data_retention(bed: Bed, call: Call) -> dict[str, Any]:
    modes = call.operation.output_shape.members["mode"].enum
    return bed.bedrock(call).data_retention or {"mode": modes[0] if modes else "DEFAULT", "updatedAt": now()}
