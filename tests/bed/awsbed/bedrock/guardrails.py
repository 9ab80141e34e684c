"""Guardrails, their drafts and versions."""

from __future__ import annotations

import copy
import datetime as dt
from typing import TYPE_CHECKING, Any

from ..protocol import AwsError, Call, op
from ..values import now, short_id, strip_config
from .lists import paged
from .state import BedrockState, kms_arn, tag_map

if TYPE_CHECKING:
    from ..bed import Bed


def guardrail_ident(state: BedrockState, ident: str) -> str:
    ident = ident.rsplit("/", 1)[-1]
    if ident not in state.guardrails:
        raise AwsError("ResourceNotFoundException", f"The guardrail is not found: {ident}", 404)
    return ident


def guardrail_doc(call: Call, ident: str, version: str, created: dt.datetime) -> dict[str, Any]:
    body = strip_config({k: v for k, v in call.params.items() if k.endswith("PolicyConfig")})
    p = call.params
    return {
        "name": p["name"],
        "description": p.get("description"),
        "guardrailId": ident,
        "id": ident,
        "guardrailArn": call.arn(f"guardrail/{ident}"),
        "arn": call.arn(f"guardrail/{ident}"),
        "version": version,
        "status": "READY",
        "createdAt": created,
        "updatedAt": now(),
        "blockedInputMessaging": p["blockedInputMessaging"],
        "blockedOutputsMessaging": p["blockedOutputsMessaging"],
        "kmsKeyArn": kms_arn(call, p.get("kmsKeyId")),
        **body,
    }


@op("bedrock", "CreateGuardrail")
def create_guardrail(bed: Bed, call: Call) -> dict[str, Any]:
    state, p = bed.bedrock(call), call.params
    if any(v["DRAFT"]["name"] == p["name"] for v in state.guardrails.values()):
        raise AwsError("ConflictException", "Another guardrail in your account already has this name.", 400)
    ident = short_id(bed.seed, call.account, call.region, "guardrail", p["name"])
    doc = guardrail_doc(call, ident, "DRAFT", now())
    state.guardrails[ident] = {"DRAFT": doc}
    state.tags[doc["guardrailArn"]] = tag_map(p.get("tags"))
    return doc


@op("bedrock", "UpdateGuardrail")
def update_guardrail(bed: Bed, call: Call) -> dict[str, Any]:
    state = bed.bedrock(call)
    ident = guardrail_ident(state, call.params["guardrailIdentifier"])
    doc = guardrail_doc(call, ident, "DRAFT", state.guardrails[ident]["DRAFT"]["createdAt"])
    state.guardrails[ident]["DRAFT"] = doc
    return doc


@op("bedrock", "CreateGuardrailVersion")
def create_guardrail_version(bed: Bed, call: Call) -> dict[str, Any]:
    state = bed.bedrock(call)
    versions = state.guardrails[guardrail_ident(state, call.params["guardrailIdentifier"])]
    number = str(len(versions))
    versions[number] = {**copy.deepcopy(versions["DRAFT"]), "version": number, "createdAt": now()}
    return versions[number]


@op("bedrock", "GetGuardrail")
def get_guardrail(bed: Bed, call: Call) -> dict[str, Any]:
    state = bed.bedrock(call)
    versions = state.guardrails[guardrail_ident(state, call.params["guardrailIdentifier"])]
    version = call.params.get("guardrailVersion") or "DRAFT"
    if version not in versions:
        raise AwsError("ResourceNotFoundException", f"The guardrail has no version {version}.", 404)
    return versions[version]


@op("bedrock", "ListGuardrails")
def list_guardrails(bed: Bed, call: Call) -> dict[str, Any]:
    state, ident = bed.bedrock(call), call.params.get("guardrailIdentifier")
    if ident:
        docs = list(state.guardrails[guardrail_ident(state, ident)].values())
    else:
        docs = [versions["DRAFT"] for versions in state.guardrails.values()]
    return paged(call, docs, "guardrails")


@op("bedrock", "DeleteGuardrail")
def delete_guardrail(bed: Bed, call: Call) -> dict[str, Any]:
    state = bed.bedrock(call)
    ident = guardrail_ident(state, call.params["guardrailIdentifier"])
    if call.params.get("guardrailVersion"):
        state.guardrails[ident].pop(call.params["guardrailVersion"], None)
    else:
        del state.guardrails[ident]
    return {}
