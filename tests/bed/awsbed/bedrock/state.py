"""What Bedrock keeps in one account and region, and how its resources are named and found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..protocol import AwsError, Call


@dataclass(frozen=True)
class Kind:
    name: str
    arn_field: str
    name_field: str
    list_key: str
    noun: str
    equals: tuple[tuple[str, str], ...] = ()
    time_field: str = "creationTime"


KINDS = {
    k.name: k
    for k in (
        Kind("job", "jobArn", "jobName", "modelCustomizationJobSummaries", "model customization job"),
        Kind(
            "model",
            "modelArn",
            "modelName",
            "modelSummaries",
            "custom model",
            (
                ("baseModelArnEquals", "baseModelArn"),
                ("foundationModelArnEquals", "_foundation"),
                ("modelStatus", "modelStatus"),
            ),
        ),
        Kind("import_job", "jobArn", "jobName", "modelImportJobSummaries", "model import job"),
        Kind("imported_model", "modelArn", "modelName", "modelSummaries", "imported model"),
        Kind(
            "provisioned",
            "provisionedModelArn",
            "provisionedModelName",
            "provisionedModelSummaries",
            "provisioned model",
            (("modelArnEquals", "modelArn"),),
        ),
        Kind(
            "deployment",
            "customModelDeploymentArn",
            "modelDeploymentName",
            "modelDeploymentSummaries",
            "custom model deployment",
            (("modelArnEquals", "modelArn"),),
            "createdAt",
        ),
        Kind(
            "copy_job",
            "jobArn",
            "targetModelName",
            "modelCopyJobSummaries",
            "model copy job",
            (("sourceAccountEquals", "sourceAccountId"), ("sourceModelArnEquals", "sourceModelArn")),
        ),
        Kind(
            "evaluation_job",
            "jobArn",
            "jobName",
            "jobSummaries",
            "evaluation job",
            (("applicationTypeEquals", "applicationType"),),
        ),
        Kind("invocation_job", "jobArn", "jobName", "invocationJobSummaries", "model invocation job", (), "submitTime"),
        Kind(
            "inference_profile",
            "inferenceProfileArn",
            "inferenceProfileName",
            "inferenceProfileSummaries",
            "inference profile",
            (("typeEquals", "type"),),
            "createdAt",
        ),
    )
}


class BedrockState:
    """Bedrock's resources in one account and region."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, dict[str, Any]]] = {k: {} for k in KINDS}
        self.by_name: dict[str, dict[str, str]] = {k: {} for k in KINDS}
        self.guardrails: dict[str, dict[str, dict[str, Any]]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.logging: dict[str, Any] | None = None
        self.policies: dict[str, str] = {}
        self.enforced_guardrails: dict[str, dict[str, Any]] = {}
        self.data_retention: dict[str, Any] | None = None

    def put(self, kind: str, doc: dict[str, Any]) -> dict[str, Any]:
        arn = doc[KINDS[kind].arn_field]
        self.kinds[kind][arn] = doc
        name = doc.get(KINDS[kind].name_field)
        if name:
            self.by_name[kind][name] = arn
        return doc

    def drop(self, kind: str, doc: dict[str, Any]) -> None:
        self.kinds[kind].pop(doc[KINDS[kind].arn_field], None)
        self.by_name[kind].pop(doc.get(KINDS[kind].name_field, ""), None)

    def find(self, kind: str, ident: str) -> dict[str, Any]:
        docs = self.kinds[kind]
        doc = docs.get(ident) or docs.get(self.by_name[kind].get(ident, ""))
        if doc is None:  # the bare ID at the end of the ARN
            doc = next((d for arn, d in docs.items() if arn.rsplit("/", 1)[-1] == ident), None) if ident else None
        if doc is None:
            raise AwsError(
                "ResourceNotFoundException", f"The provided {KINDS[kind].noun} identifier is not found: {ident}", 404
            )
        return doc

    def has_arn(self, arn: str) -> bool:
        return any(arn in docs for docs in self.kinds.values()) or any(
            version["guardrailArn"] == arn for versions in self.guardrails.values() for version in versions.values()
        )


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    return {t["key"]: t.get("value", "") for t in tags or []}


def base_model(call: Call, ident: str) -> tuple[str, str]:
    name = ident.rsplit("/", 1)[-1] if ident.startswith("arn:") else ident
    return f"arn:aws:bedrock:{call.region}::foundation-model/{name}", name


def kms_arn(call: Call, key: str | None) -> str | None:
    if not key or key.startswith("arn:"):
        return key
    return call.arn(key if key.startswith("alias/") else f"key/{key}", "kms")


def need_free_name(state: BedrockState, kind: str, name: str) -> None:
    if name in state.by_name[kind]:
        raise AwsError("ConflictException", f"The {KINDS[kind].noun} name is already in use: {name}", 409)
