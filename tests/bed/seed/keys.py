"""Keys: their policies, states, rotation and grants."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

from .names import ACCOUNT, CUSTOMIZER_RIGHTS, HOME, PARTNER, role_arn

Document = dict[str, Any]

ADMIN_RIGHTS = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
]
VIA_BEDROCK = {"StringEquals": {"kms:ViaService": f"bedrock.{HOME}.amazonaws.com"}}


def allow(sid: str, principal: Any, actions: str | list[str], condition: Document | None = None) -> Document:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement


def roles(*names: str) -> Document:
    arns = [role_arn(name) for name in names]
    return {"AWS": arns[0] if len(arns) == 1 else arns}


def admins(*names: str) -> Document:
    return allow("Admins", roles(*names), ADMIN_RIGHTS)


def customize(role: str) -> Document:
    return allow("Customize", roles(role), CUSTOMIZER_RIGHTS, VIA_BEDROCK)


def service(name: str, context: str, value: str) -> Document:
    return allow(
        "Service",
        {"Service": name},
        ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        {"ArnLike": {f"kms:EncryptionContext:{context}": value}},
    )


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
ROOT_ADMINISTERS = allow("AccountAdministers", ROOT, ADMIN_RIGHTS)
ROOT_DECIDES = allow("AccountDecides", ROOT, "kms:*")
BOTH = admins("KeyAdmins", "oncall-write")

POLICIES: dict[str, list[Document]] = {
    "orion-std": [
        ROOT_ADMINISTERS,
        BOTH,
        customize("OrionTuner"),
        allow("Greedy", roles("AppGreedy"), ["kms:Decrypt", "kms:CreateGrant", "kms:GenerateDataKey"], VIA_BEDROCK),
    ],
    "orion-chat": [
        ROOT_DECIDES,
        BOTH,
        allow("Tuner", roles("OrionTuner"), ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"], VIA_BEDROCK),
        allow("Invoke", roles("App"), "kms:Decrypt", VIA_BEDROCK),
        allow("Legacy", roles("ci-runner"), "kms:Decrypt"),
    ],
    "orion-shared": [BOTH, allow("Everyone", "*", "kms:*")],
    # The one key that oncall-write does not administer: it cannot be let put a policy here.
    "orion-law": [admins("KeyAdmins"), customize("TunerRoleRegion")],
    "orion-research": [
        ROOT_DECIDES,
        BOTH,
        customize("TunerRoleImport"),
        allow("Partner", {"AWS": f"arn:aws:iam::{PARTNER}:root"}, ["kms:Decrypt", "kms:DescribeKey"]),
    ],
    "orion-eyes": [ROOT_ADMINISTERS, BOTH, customize("OrionImport")],
    "orion-logs": [
        ROOT_DECIDES,
        BOTH,
        service(f"logs.{HOME}.amazonaws.com", "aws:logs:arn", f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:*"),
    ],
    "orion-off": [ROOT_ADMINISTERS, BOTH],
    "payroll": [ROOT_DECIDES, BOTH],
}
ROTATION = {"orion-std": 365, "orion-shared": 365, "orion-research": 730, "orion-logs": 180, "orion-off": 365}
AGE_DAYS = {
    "orion-std": 400,
    "orion-chat": 210,
    "orion-shared": 520,
    "orion-law": 330,
    "orion-research": 95,
    "orion-eyes": 40,
    "orion-logs": 640,
    "orion-off": 700,
    "payroll": 900,
}
AWS_MANAGED_POLICY = {
    "Version": "2012-10-17",
    "Id": "auto-s3-2",
    "Statement": [
        allow(
            "Allow access through S3 for all principals in the account",
            {"AWS": "*"},
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            {"StringEquals": {"kms:ViaService": f"s3.{HOME}.amazonaws.com", "kms:CallerAccount": ACCOUNT}},
        ),
        allow("Allow direct access to key metadata", ROOT, ["kms:Describe*", "kms:Get*", "kms:List*"]),
    ],
}


def plant(planter: Any) -> dict[str, str]:
    """The keys, all still usable; returns their ARNs by alias."""
    kms, backend, found = planter.client("kms", HOME), planter.backend("kms", HOME), {}
    for name, statements in POLICIES.items():
        text = json.dumps({"Version": "2012-10-17", "Id": name, "Statement": statements}, indent=2)
        meta = kms.create_key(
            Policy=text,
            Description=f"{name}: model customization" if name.startswith("orion") else name,
            Origin="EXTERNAL" if name == "orion-eyes" else "AWS_KMS",
            BypassPolicyLockoutSafetyCheck=True,
            Tags=[{"TagKey": "team", "TagValue": name.split("-")[0]}],
        )["KeyMetadata"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=meta["KeyId"])
        found[name] = meta["Arn"]
        if name in ROTATION:
            kms.enable_key_rotation(KeyId=meta["KeyId"], RotationPeriodInDays=ROTATION[name])
        backend.describe_key(meta["KeyId"]).creation_date = time.time() - AGE_DAYS[name] * 86_400
    grants(planter, found)
    managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    backend.describe_key(managed).policy = json.dumps(AWS_MANAGED_POLICY)
    return {**found, "aws/s3": managed}


def grants(planter: Any, found: dict[str, str]) -> None:
    """Bedrock's own grants on the keys of its models, and one that nobody expects."""
    kms = planter.client("kms", HOME)
    ages = {}
    for days, name in ((200, "orion-chat"), (300, "orion-std"), (45, "orion-law")):
        ident = kms.create_grant(
            KeyId=found[name],
            GranteePrincipal="bedrock.amazonaws.com",
            RetiringPrincipal="bedrock.amazonaws.com",
            Operations=["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant", "RetireGrant"],
        )["GrantId"]
        ages[ident] = days * 86_400
    ident = kms.create_grant(
        KeyId=found["orion-chat"],
        GranteePrincipal=f"arn:aws:iam::{PARTNER}:role/model-sync",
        Name="sync",
        Operations=["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant"],
    )["GrantId"]
    ages[ident] = 240
    for ident, seconds in ages.items():
        planter.bed.grant_dates[ident] = time.time() - seconds


def age(planter: Any, found: dict[str, str]) -> None:
    """The states that make a key unusable, once everything that needs it is there."""
    kms, backend = planter.client("kms", HOME), planter.backend("kms", HOME)
    kms.schedule_key_deletion(KeyId=found["orion-law"], PendingWindowInDays=7)
    law = backend.describe_key(found["orion-law"])
    law.deletion_date = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None) + dt.timedelta(days=6, hours=1)
    kms.disable_key(KeyId=found["orion-off"])
