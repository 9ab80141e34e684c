"""Names the whole seed agrees on."""

from __future__ import annotations

ACCOUNT = "123456789012"
ALIAS = "orion-prod"
HOME, ABROAD = "us-east-1", "eu-west-1"
PARTNER = "444455556666"  # an account nobody told us to trust

CUSTOMIZER_RIGHTS = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
INVOCATION_GROUP = "/aws/bedrock/modelinvocations"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def bedrock_arn(resource: str, region: str = HOME) -> str:
    return f"arn:aws:bedrock:{region}:{ACCOUNT}:{resource}"
