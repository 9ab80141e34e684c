"""Operations that only need a well-formed empty answer until a test plants a stub."""

from __future__ import annotations

from typing import Any

EMPTY_ANSWERS: dict[str, dict[str, Any]] = {
    "logs:DescribeAccountPolicies": {"accountPolicies": []},
    "cloudtrail:ListChannels": {"Channels": []},
    "bedrock:ListAutomatedReasoningPolicies": {"automatedReasoningPolicySummaries": []},
    "bedrock:ListMarketplaceModelEndpoints": {"marketplaceModelEndpoints": []},
    "bedrock:ListPromptRouters": {"promptRouterSummaries": []},
    "ec2:DescribeVpcBlockPublicAccessOptions": {
        "VpcBlockPublicAccessOptions": {
            "InternetGatewayBlockMode": "off",
            "State": "default-state",
            "ManagedBy": "account",
            "ExclusionsAllowed": "allowed",
        }
    },
}
