"""EventBridge rules: one that works, and one abroad that can never match."""

from __future__ import annotations

import json
from typing import Any

from .names import ABROAD, HOME

PATTERN = {
    "source": ["aws.bedrock"],
    "detail-type": ["Model Customization Job State Change"],
    "detail": {"jobStatus": ["Completed", "Failed", "Stopped"]},
}
DEAD = {
    "source": ["aws.bedrock"],
    "detail-type": ["Bedrock Model Customization Job State Change"],
    "detail": {"status": ["COMPLETED"]},
}


def plant(planter: Any) -> None:
    for region, name, pattern in ((HOME, "orion-customization", PATTERN), (ABROAD, "orion-customization-old", DEAD)):
        topic = planter.client("sns", region).create_topic(Name="orion-alerts")["TopicArn"]
        events = planter.client("events", region)
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), State="ENABLED", Description="customization jobs")
        events.put_targets(Rule=name, Targets=[{"Id": "mail", "Arn": topic}])
    events = planter.client("events", HOME)
    events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)", State="ENABLED")
    events.put_rule(Name="ec2-stopped", EventPattern=json.dumps({"source": ["aws.ec2"]}), State="DISABLED")
