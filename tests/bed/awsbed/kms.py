"""KMS where moto would mislead: paging, rotation, grants and key policies."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random

from .bedrock.state import kms_arn
from .key_policy import check_policy
from .protocol import AwsError, Call, op
from .values import now

if TYPE_CHECKING:
    from .bed import Bed


def marker_page(call: Call, doc: dict[str, Any], key: str, default: int) -> dict[str, Any]:
    """KMS-style paging (Limit, Marker, NextMarker, Truncated); moto returns all."""
    items, size = doc.get(key) or [], int(call.params.get("Limit") or default)
    try:
        start = int(call.params.get("Marker") or 0)
    except ValueError:
        raise AwsError("InvalidMarkerException", "Invalid marker.", 400) from None
    doc[key], doc["Truncated"] = items[start : start + size], start + size < len(items)
    if doc["Truncated"]:
        doc["NextMarker"] = str(start + size)
    return doc


@op("kms", "ListKeys", "ListAliases", "ListGrants", "ListResourceTags", "ListRetirableGrants")
def kms_lists(bed: Bed, call: Call) -> dict[str, Any]:
    key, default = {
        "ListKeys": ("Keys", 100),
        "ListAliases": ("Aliases", 50),
        "ListGrants": ("Grants", 50),
        "ListResourceTags": ("Tags", 50),
        "ListRetirableGrants": ("Grants", 50),
    }[call.action]
    if call.action in ("ListGrants", "ListResourceTags"):
        kms_key(bed, call)
    doc = bed.ask_moto_json(call)
    if call.action == "ListAliases":
        # moto gives every reserved alias/aws/* name the ID of a key that is not there: real
        # accounts show those names too, but a TargetKeyId only once the service has used it.
        keys = call.backend().keys
        for alias in doc.get("Aliases", []):
            if alias["AliasName"].startswith("alias/aws/") and alias.get("TargetKeyId") not in keys:
                alias.pop("TargetKeyId", None)
    if "Grants" in doc:
        grantee = call.params.get("GranteePrincipal") if call.action == "ListGrants" else None
        doc["Grants"] = [
            whole_grant(bed, call, grant) for grant in doc["Grants"] if grantee in (None, grant["GranteePrincipal"])
        ]
    return marker_page(call, doc, key, default)


def whole_grant(bed: Bed, call: Call, grant: dict[str, Any]) -> dict[str, Any]:
    """A grant as ListGrants writes it; moto keeps neither its date nor the key's ARN."""
    out = {name: value for name, value in grant.items() if value}
    out["KeyId"] = call.arn(f"key/{grant['KeyId']}", "kms")
    out["CreationDate"] = bed.grant_dates.get(grant["GrantId"]) or time.time()
    out["IssuingAccount"] = f"arn:aws:iam::{call.account}:root"
    return out


def kms_key(bed: Bed, call: Call) -> Any:
    backend, ident = call.backend("kms"), call.params.get("KeyId") or ""
    try:
        return backend.describe_key(ident)
    except Exception:
        raise AwsError("NotFoundException", f"Key '{kms_arn(call, ident)}' does not exist", 400) from None


@op("kms", "DescribeKey")
def describe_key(bed: Bed, call: Call) -> dict[str, Any]:
    key = kms_key(bed, call)
    meta = bed.ask_moto_json(call)["KeyMetadata"]
    meta.setdefault("MultiRegion", getattr(key, "multi_region", False))
    # Real KMS always says it; moto leaves it out (or empty) when the request did.
    meta["KeyUsage"] = meta.get("KeyUsage") or getattr(key, "key_usage", None) or "ENCRYPT_DECRYPT"
    if any(name.startswith("alias/aws/") for name in alias_names(call, key)):
        meta["KeyManager"] = "AWS"
    return {"KeyMetadata": meta}


def alias_names(call: Call, key: Any) -> list[str]:
    aliases = getattr(key, "aliases", None) or {}
    return list(aliases)


@op("kms", "GetKeyRotationStatus")
def rotation_status(bed: Bed, call: Call) -> dict[str, Any]:
    key = kms_key(bed, call)
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.", 400)
    if key.key_spec != "SYMMETRIC_DEFAULT":
        raise AwsError("UnsupportedOperationException", f"{key.arn} key spec does not support rotation.", 400)
    on = bool(key.key_rotation_status)
    out: dict[str, Any] = {"KeyRotationEnabled": on, "KeyId": key.id}
    if on:
        period = bed.rotation.get(key.id, 365)
        out["RotationPeriodInDays"] = period
        out["NextRotationDate"] = bed.started + dt.timedelta(days=period)
    return out


@op("kms", "EnableKeyRotation")
def enable_rotation(bed: Bed, call: Call) -> dict[str, Any]:
    key = kms_key(bed, call)
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.", 400)
    key.key_rotation_status = True
    bed.rotation[key.id] = int(call.params.get("RotationPeriodInDays") or 365)
    return {}


def refuse_if_dry_run(call: Call) -> None:
    if call.params.get("DryRun"):
        raise AwsError(
            "DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", 412
        )


def usable_key(bed: Bed, call: Call) -> Any:
    key = kms_key(bed, call)
    if key.key_state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.", 400)
    if key.key_state != "Enabled":
        state = {"PendingDeletion": "pending deletion", "PendingImport": "pending import"}.get(
            key.key_state, key.key_state
        )
        raise AwsError("KMSInvalidStateException", f"{key.arn} is {state}.", 400)
    return key


@op("kms", "CreateGrant")
def create_grant(bed: Bed, call: Call) -> dict[str, Any]:
    """Identical requests with a Name get the first one's grant again."""
    p, key = call.params, usable_key(bed, call)
    refuse_if_dry_run(call)
    # A service is named by a parameter of its own, and shown by ListGrants as the grantee.
    grantee = p.get("GranteePrincipal") or p["GranteeServicePrincipal"]
    retiring = p.get("RetiringPrincipal") or p.get("RetiringServicePrincipal")
    wanted = (grantee, retiring, sorted(p["Operations"]), p.get("Constraints") or {})
    token = mock_random.get_random_hex(136)
    for grant in key.grants.values() if p.get("Name") else ():
        asked = (grant.grantee_principal, grant.retiring_principal, sorted(grant.operations), grant.constraints or {})
        if grant.name == p["Name"] and asked == wanted:
            return {"GrantId": grant.id, "GrantToken": token}
    grant = key.add_grant(
        p.get("Name"),
        grantee,
        p["Operations"],
        constraints=p.get("Constraints") or {},
        retiring_principal=retiring,
    )
    del key.grants[grant.id]
    grant.id, grant.token = mock_random.get_random_hex(64), token
    key.grants[grant.id] = grant
    bed.grant_dates[grant.id] = time.time()
    return {"GrantId": grant.id, "GrantToken": grant.token}


@op("kms", "RevokeGrant")
def revoke_grant(bed: Bed, call: Call) -> dict[str, Any]:
    key, ident = kms_key(bed, call), call.params["GrantId"]
    if ident not in key.grants:
        raise AwsError("NotFoundException", f"Grant ID {ident} not found", 400)
    refuse_if_dry_run(call)
    del key.grants[ident]
    return {}


@op("kms", "PutKeyPolicy")
def put_key_policy(bed: Bed, call: Call) -> dict[str, Any]:
    key, p = kms_key(bed, call), call.params
    if p.get("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists", 400)
    check_policy(bed, call, p["Policy"], key.arn)
    key.policy = p["Policy"]
    return {}


@op("kms", "CreateKey")
def create_key(bed: Bed, call: Call) -> dict[str, Any]:
    """moto makes the key; an external one waits for its material, as in AWS."""
    if call.params.get("Policy"):
        check_policy(bed, call, call.params["Policy"])
    meta = bed.ask_moto_json(call)["KeyMetadata"]
    if meta["Origin"] == "EXTERNAL":
        key = call.backend().describe_key(meta["KeyId"])
        key.key_state, key.enabled = "PendingImport", False
        meta.update(key.to_dict()["KeyMetadata"])
    return {"KeyMetadata": meta}
