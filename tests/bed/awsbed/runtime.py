"""Bedrock runtime: canned answers, real invocation logs, and a toy guardrail."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

from .bedrock.guardrails import guardrail_ident
from .protocol import AwsError, Call, Raw, op
from .values import iso, now, plain

if TYPE_CHECKING:
    from .bed import Bed


PII = {
    "EMAIL": r"[\w.+-]+@[\w-]+\.[\w.]+",
    "US_SOCIAL_SECURITY_NUMBER": r"\b\d{3}-\d{2}-\d{4}\b",
    "CREDIT_DEBIT_CARD_NUMBER": r"\b(?:\d[ -]?){15}\d\b",
    "PHONE": r"\b\d{3}[-. ]\d{3}[-. ]\d{4}\b",
    "AWS_ACCESS_KEY": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
}
ATTACK = re.compile(
    r"ignore (all |your |the )?(previous|prior) instructions|developer mode|DAN\b|system prompt|jailbreak", re.I
)


def apply_policies(doc: dict[str, Any], text: str) -> tuple[list[dict[str, Any]], str]:
    """Assessments and the masked text. Enough for tests; not a content classifier."""
    out: dict[str, Any] = {}
    words = [
        {"match": w["text"], "action": "BLOCKED"}
        for w in (doc.get("wordPolicy") or {}).get("words") or []
        if w["text"].lower() in text.lower()
    ]
    if words:
        out["wordPolicy"] = {"customWords": words, "managedWordLists": []}
    topics = [
        {"name": t["name"], "type": "DENY", "action": "BLOCKED"}
        for t in (doc.get("topicPolicy") or {}).get("topics") or []
        if any(e.lower() in text.lower() for e in [t["name"], *(t.get("examples") or [])])
    ]
    if topics:
        out["topicPolicy"] = {"topics": topics}
    filters = [
        {"type": f["type"], "confidence": "HIGH", "filterStrength": f["inputStrength"], "action": "BLOCKED"}
        for f in (doc.get("contentPolicy") or {}).get("filters") or []
        if f["type"] == "PROMPT_ATTACK" and f["inputStrength"] != "NONE" and ATTACK.search(text)
    ]
    if filters:
        out["contentPolicy"] = {"filters": filters}
    sensitive = doc.get("sensitiveInformationPolicy") or {}
    found, regexes = [], []
    for entity in sensitive.get("piiEntities") or []:
        for match in re.findall(PII.get(entity["type"], r"(?!)"), text):
            found.append(
                {
                    "match": match,
                    "type": entity["type"],
                    "action": "BLOCKED" if entity["action"] == "BLOCK" else "ANONYMIZED",
                }
            )
            text = text.replace(match, "{" + entity["type"] + "}")
    for rule in sensitive.get("regexes") or []:
        for match in re.findall(rule["pattern"], text):
            regexes.append(
                {
                    "name": rule["name"],
                    "match": match,
                    "regex": rule["pattern"],
                    "action": "BLOCKED" if rule["action"] == "BLOCK" else "ANONYMIZED",
                }
            )
            text = text.replace(match, "{" + rule["name"] + "}")
    if found or regexes:
        out["sensitiveInformationPolicy"] = {"piiEntities": found, "regexes": regexes}
    return ([out] if out else []), text


@op("bedrock-runtime", "ApplyGuardrail")
def apply_guardrail(bed: Bed, call: Call) -> dict[str, Any]:
    p, state = call.params, bed.bedrock(call)
    versions = state.guardrails[guardrail_ident(state, p["guardrailIdentifier"])]
    doc = versions.get(p.get("guardrailVersion") or "DRAFT")
    if doc is None:
        raise AwsError("ResourceNotFoundException", "The guardrail version is not found.", 404)
    text = " ".join((c.get("text") or {}).get("text", "") for c in p.get("content") or [])
    assessments, masked = apply_policies(doc, text)
    blocked = '"BLOCKED"' in json.dumps(assessments)
    message = doc["blockedInputMessaging" if p.get("source") == "INPUT" else "blockedOutputsMessaging"]
    return {
        "usage": {k: 1 for k in call.operation.output_shape.members["usage"].required_members},
        "action": "GUARDRAIL_INTERVENED" if assessments else "NONE",
        "outputs": [{"text": message if blocked else masked}] if assessments else [],
        "assessments": assessments,
    }


def log_invocation(bed: Bed, call: Call, model: str, request: Any, response: Any, tokens: tuple[int, int]) -> None:
    config = bed.bedrock(call).logging
    if not config or not config.get("cloudWatchConfig"):
        return
    record = {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": iso(now()),
        "accountId": call.account,
        "identity": {"arn": bed.identity(call)["arn"]},
        "region": call.region,
        "requestId": call.request_id,
        "operation": call.action,
        "modelId": model,
        "input": {"inputContentType": "application/json", "inputTokenCount": tokens[0]},
        "output": {"outputContentType": "application/json", "outputTokenCount": tokens[1]},
    }
    if config.get("textDataDeliveryEnabled", True):
        record["input"]["inputBodyJson"], record["output"]["outputBodyJson"] = request, response
    group = config["cloudWatchConfig"]["logGroupName"]
    bed.write_logs(
        call.account,
        call.region,
        group,
        "aws/bedrock/modelinvocations",
        [{"timestamp": int(time.time() * 1000), "message": json.dumps(record)}],
    )


@op("bedrock-runtime", "Converse")
def converse(bed: Bed, call: Call) -> dict[str, Any]:
    p = call.params
    prompt = " ".join(c.get("text", "") for m in p.get("messages") or [] for c in m.get("content") or [])
    reply = f"[{p['modelId'].rsplit('/', 1)[-1]}] {prompt[::-1][:80]}"
    tokens = (max(1, len(prompt) // 4), max(1, len(reply) // 4))
    body = {"messages": plain(p.get("messages"))}
    log_invocation(bed, call, p["modelId"], body, {"output": reply}, tokens)
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": reply}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)},
        "metrics": {"latencyMs": 5},
    }


@op("bedrock-runtime", "InvokeModel")
def invoke_model(bed: Bed, call: Call) -> dict[str, Any]:
    try:
        request = json.loads(call.body or b"{}")
    except ValueError:
        raise AwsError("ValidationException", "The body is not JSON.", 400) from None
    text = json.dumps(request)
    reply = {"outputText": text[::-1][:80], "completionReason": "FINISH"}
    tokens = (max(1, len(text) // 4), 20)
    log_invocation(bed, call, call.params["modelId"], request, reply, tokens)
    answer = json.dumps(reply).encode()
    raise Raw(
        (
            200,
            [
                ("Content-Type", "application/json"),
                ("x-amzn-RequestId", call.request_id),
                ("X-Amzn-Bedrock-Input-Token-Count", str(tokens[0])),
                ("X-Amzn-Bedrock-Output-Token-Count", str(tokens[1])),
            ],
            answer,
        )
    )
