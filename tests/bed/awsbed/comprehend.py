"""Amazon Comprehend's two questions about personal data, answered by a few patterns: always the same answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .protocol import AwsError, Call, op

if TYPE_CHECKING:
    from .bed import Bed

LARGEST = 100_000  # bytes of one text
KINDS = {
    "AWS_ACCESS_KEY": r"\bAKIA[A-Z0-9]{16}\b",
    "CREDIT_DEBIT_NUMBER": r"\b(?:\d{4}[ -]){3}\d{4}\b",
    "EMAIL": r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b",
    "SSN": r"\b\d{3}-\d{2}-\d{4}\b",
    "PHONE": r"\+\d{1,3}[ -]\d{3}[ -]\d{3}[ -]\d{4}\b",
    "NAME": r"\b(?:Mr|Ms|Mrs|Dr)\.? [A-Z][a-z]+\b",
}


def entities(call: Call) -> list[dict[str, Any]]:
    text = call.params["Text"]
    if len(text.encode()) > LARGEST:
        raise AwsError("TextSizeLimitExceededException", "Input text size exceeds limit. Max length of request text allowed is 100000 bytes.", 400)
    if call.params["LanguageCode"] not in ("en", "es"):
        raise AwsError("UnsupportedLanguageException", "This language is not supported.", 400)
    rows = [
        {"Type": kind, "Score": 0.99, "BeginOffset": found.start(), "EndOffset": found.end()}
        for kind, pattern in KINDS.items()
        for found in re.finditer(pattern, text)
    ]
    return sorted(rows, key=lambda row: row["BeginOffset"])


@op("comprehend", "ContainsPiiEntities")
def contains_pii_entities(bed: Bed, call: Call) -> dict[str, Any]:
    return {"Labels": [{"Name": kind, "Score": 0.99} for kind in sorted({row["Type"] for row in entities(call)})]}


@op("comprehend", "DetectPiiEntities")
def detect_pii_entities(bed: Bed, call: Call) -> dict[str, Any]:
    return {"Entities": entities(call)}
