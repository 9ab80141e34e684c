"""Roles, users, a group and the policies they hold."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from .names import ACCOUNT, ALIAS, HOME, PARTNER, bedrock_arn, role_arn

Document = dict[str, Any]


def policy(*statements: Document) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: str | list[str], resources: str | list[str] = "*", **more: Any) -> Document:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(principal: Any, condition: Document | None = None) -> Document:
    statement: Document = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {**statement, "Condition": condition} if condition else statement


def from_bedrock(source_arn: str | None = None, source_account: str | None = ACCOUNT) -> Document:
    """Bedrock may assume the role, for these sources only."""
    condition: Document = {}
    if source_account:
        condition["StringEquals"] = {"aws:SourceAccount": source_account}
    if source_arn:
        condition["ArnLike"] = {"aws:SourceArn": source_arn}
    return trust({"Service": "bedrock.amazonaws.com"}, condition)


JOBS = bedrock_arn("model-customization-job/*")
READ_TRAINING = allow(
    ["s3:GetObject", "s3:ListBucket"],
    ["arn:aws:s3:::orion-train", "arn:aws:s3:::orion-train/*", "arn:aws:s3:::orion-val", "arn:aws:s3:::orion-val/*"],
)
WRITE_OUTPUT = allow(
    ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], ["arn:aws:s3:::orion-out", "arn:aws:s3:::orion-out/*"]
)
TUNER = policy(READ_TRAINING, WRITE_OUTPUT)
TUNER_VPC = policy(
    allow(["ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"]),
    allow(
        ["ec2:CreateNetworkInterface", "ec2:CreateTags", "ec2:DeleteNetworkInterface"],
        f"arn:aws:ec2:{HOME}:{ACCOUNT}:*",
    ),
)

# Roles that customization jobs run as: their trust is what the controls judge.
TUNERS: dict[str, list[Document]] = {
    "OrionTuner": [from_bedrock(JOBS)],
    "TunerRoleOpen": [from_bedrock(None, None)],
    "TunerRoleWide": [
        from_bedrock(JOBS),
        trust({"AWS": f"arn:aws:iam::{PARTNER}:root"}),
        trust({"Service": "lambda.amazonaws.com"}),
    ],
    "TunerRoleRegion": [from_bedrock(f"arn:aws:bedrock:*:{ACCOUNT}:model-customization-job/*")],
    "TunerRoleImport": [from_bedrock(bedrock_arn("model-import-job/*"))],
    "TunerRoleDocs": [from_bedrock(f"arn:aws:bedrock:{HOME}:111122223333:model-customization-job/*")],
    "TunerRoleNoArn": [from_bedrock(None)],
    "TunerRolePublic": [from_bedrock(JOBS), trust({"AWS": "*"})],
    "TunerRoleLost": [trust({"Service": "sagemaker.amazonaws.com"})],
}

ONCALL_READ = allow(
    [
        "bedrock:Get*",
        "bedrock:List*",
        "kms:Describe*",
        "kms:Get*",
        "kms:List*",
        "iam:Get*",
        "iam:List*",
        "s3:Get*",
        "s3:List*",
        "ec2:Describe*",
        "logs:Describe*",
        "logs:FilterLogEvents",
        "logs:StartQuery",
        "logs:GetQueryResults",
        "cloudtrail:Describe*",
        "cloudtrail:Get*",
        "cloudtrail:LookupEvents",
        "events:Describe*",
        "events:List*",
        "events:TestEventPattern",
        "sns:Get*",
        "macie2:Get*",
        "macie2:List*",
        "sts:GetCallerIdentity",
    ]
)
ONCALL_WRITE = allow(
    [
        "kms:PutKeyPolicy",
        "kms:CreateGrant",
        "kms:RevokeGrant",
        "kms:EnableKeyRotation",
        "kms:CancelKeyDeletion",
        "kms:EnableKey",
        "iam:UpdateAssumeRolePolicy",
        "bedrock:PutModelInvocationLoggingConfiguration",
        "bedrock:StopModelCustomizationJob",
        "bedrock:CreateModelCustomizationJob",
        "events:PutRule",
        "events:PutTargets",
    ]
)


def people(names: list[str]) -> list[Document]:
    return [
        trust(
            {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in names]},
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        )
    ]


def invoke(*resources: str) -> Document:
    return allow(["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], list(resources))


def decrypt(*keys: str) -> Document:
    return allow(
        "kms:Decrypt", list(keys), Condition={"StringEquals": {"kms:ViaService": f"bedrock.{HOME}.amazonaws.com"}}
    )


def others(found: dict[str, str]) -> dict[str, tuple[list[Document], dict[str, str]]]:
    """Every other role: its trust and its inline policies. `found` maps names to ARNs."""
    service = lambda name: [trust({"Service": name}, {"StringEquals": {"aws:SourceAccount": ACCOUNT}})]
    return {
        "OrionImport": (
            [from_bedrock(bedrock_arn("model-import-job/*"))],
            {
                "read-weights": policy(
                    allow(
                        ["s3:GetObject", "s3:ListBucket"],
                        ["arn:aws:s3:::orion-imports", "arn:aws:s3:::orion-imports/*"],
                    )
                )
            },
        ),
        "App": (
            service("ecs-tasks.amazonaws.com"),
            {"invoke": policy(invoke(found["orion-chat-live"], found["orion-chat-pt"]), decrypt(found["orion-chat"]))},
        ),
        "AppGreedy": (service("ecs-tasks.amazonaws.com"), {"invoke": policy(invoke(found["orion-std-pt"]))}),
        "AppLaw": (service("lambda.amazonaws.com"), {"invoke": policy(invoke(found["orion-law-pt"]))}),
        "ci-runner": (
            [trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ci"})],
            {
                "deploy": policy(
                    allow(["bedrock:*ModelInvocationLoggingConfiguration", "bedrock:List*", "bedrock:Get*"]),
                    allow(
                        ["s3:PutObject", "s3:GetObject", "s3:ListBucket"],
                        ["arn:aws:s3:::orion-train", "arn:aws:s3:::orion-train/*"],
                    ),
                )
            },
        ),
        "KeyAdmins": (
            people(["zoe", "anna"]),
            {
                "keys": policy(
                    allow(
                        [
                            "kms:Create*",
                            "kms:Describe*",
                            "kms:Enable*",
                            "kms:Get*",
                            "kms:List*",
                            "kms:Put*",
                            "kms:Update*",
                            "kms:Revoke*",
                            "kms:Disable*",
                            "kms:TagResource",
                            "kms:ScheduleKeyDeletion",
                            "kms:CancelKeyDeletion",
                        ]
                    )
                )
            },
        ),
        "BedrockLogging": (
            [
                trust(
                    {"Service": "bedrock.amazonaws.com"},
                    {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": bedrock_arn("*")}},
                )
            ],
            {
                "write": policy(
                    allow(
                        ["logs:CreateLogStream", "logs:PutLogEvents"],
                        f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:/aws/bedrock/modelinvocations:log-stream:aws/bedrock/modelinvocations",
                    )
                )
            },
        ),
        "oncall-readonly": (people(["anna", "zoe"]), {"read": policy(ONCALL_READ)}),
        "oncall-write": (people(["anna", "zoe"]), {"read": policy(ONCALL_READ), "fix": policy(ONCALL_WRITE)}),
    }


# Days since a role was last used, and since it was made.
USED = {
    "OrionTuner": (0.01, 420),
    "TunerRoleOpen": (9, 200),
    "TunerRoleWide": (31, 380),
    "TunerRoleRegion": (45, 300),
    "TunerRoleImport": (1, 90),
    "TunerRoleDocs": (0.02, 30),
    "TunerRoleNoArn": (12, 210),
    "TunerRolePublic": (61, 500),
    "OrionImport": (7, 150),
    "App": (0.001, 400),
    "AppGreedy": (0.2, 180),
    "AppLaw": (3, 120),
    "ci-runner": (0.003, 600),
    "KeyAdmins": (2, 700),
    "oncall-readonly": (0.05, 365),
    "oncall-write": (1, 365),
    "BedrockLogging": (0.001, 400),
}


def plant(planter: Any) -> None:
    """Users and roles that key policies name; App policies come later, when their targets have ARNs."""
    iam = planter.client("iam", HOME)
    iam.create_account_alias(AccountAlias=ALIAS)
    for name in ("anna", "zoe", "ci"):
        iam.create_user(UserName=name)
    iam.create_group(GroupName="oncall")
    for name in ("anna", "zoe"):
        iam.add_user_to_group(GroupName="oncall", UserName=name)
    iam.put_group_policy(
        GroupName="oncall",
        PolicyName="assume-oncall",
        PolicyDocument=policy(allow("sts:AssumeRole", [role_arn("oncall-readonly"), role_arn("oncall-write")])),
    )
    iam.put_user_policy(
        UserName="ci", PolicyName="assume-runner", PolicyDocument=policy(allow("sts:AssumeRole", role_arn("ci-runner")))
    )
    boundary = iam.create_policy(
        PolicyName="orion-boundary",
        PolicyDocument=policy(
            allow(["bedrock:*", "kms:*", "s3:*", "logs:*", "ec2:*"]),
            {"Effect": "Deny", "Action": ["iam:*", "organizations:*"], "Resource": "*"},
        ),
    )["Policy"]["Arn"]
    tuner = iam.create_policy(PolicyName="orion-tuner-data", PolicyDocument=TUNER)["Policy"]["Arn"]
    network = iam.create_policy(PolicyName="orion-tuner-vpc", PolicyDocument=TUNER_VPC)["Policy"]["Arn"]
    for name, statements in TUNERS.items():
        extra = {"PermissionsBoundary": boundary} if name == "OrionTuner" else {}
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=policy(*statements),
            Description="runs customization jobs",
            Tags=[{"Key": "team", "Value": "orion"}],
            **extra,
        )
        iam.attach_role_policy(RoleName=name, PolicyArn=tuner)
        iam.attach_role_policy(RoleName=name, PolicyArn=network)
    empty = dict.fromkeys(("orion-chat-live", "orion-chat-pt", "orion-chat", "orion-std-pt", "orion-law-pt"), "*")
    for name, (statements, _) in others(empty).items():
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=policy(*statements), Tags=[{"Key": "team", "Value": "orion"}]
        )
    for number in range(1, 13):
        iam.create_role(
            RoleName=f"svc-{number:02d}", AssumeRolePolicyDocument=policy(trust({"Service": "lambda.amazonaws.com"}))
        )


def grant(planter: Any, found: dict[str, str]) -> None:
    """The inline policies, once what they name exists; then when each role was used."""
    iam, backend = planter.client("iam", HOME), planter.backend("iam")
    for name, (_, inline) in others(found).items():
        for title, document in inline.items():
            iam.put_role_policy(RoleName=name, PolicyName=title, PolicyDocument=document)
    now = dt.datetime.now(dt.timezone.utc)
    for name, (used, made) in USED.items():
        role = backend.get_role(name)
        role.last_used, role.last_used_region = now - dt.timedelta(days=used), HOME
        role.create_date = now - dt.timedelta(days=made)
        planter.bed.last_accessed[role.arn] = {"bedrock": (now - dt.timedelta(days=used)).isoformat(), "s3": None}
