"""List, get and delete of every Bedrock resource that needs no more than its document."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..protocol import AwsError, Call, op
from ..values import short_id, when
from .state import KINDS

if TYPE_CHECKING:
    from ..bed import Bed


def paged(call: Call, docs: Iterable[dict[str, Any]], key: str, default: int = 100) -> dict[str, Any]:
    docs = list(docs)
    p = call.params
    size = int(p.get("maxResults") or default)
    scope = short_id(call.name, {k: str(v) for k, v in p.items() if k not in ("nextToken", "maxResults")})
    start = 0
    if p.get("nextToken"):
        try:
            doc = json.loads(base64.urlsafe_b64decode(p["nextToken"]))
            start = int(doc["o"])
            assert doc["s"] == scope
        except Exception:
            raise AwsError("ValidationException", "The provided nextToken is invalid.", 400) from None
    out: dict[str, Any] = {key: docs[start : start + size]}
    if start + size < len(docs):
        out["nextToken"] = base64.urlsafe_b64encode(json.dumps({"o": start + size, "s": scope}).encode()).decode()
    return out


def list_kind(bed: Bed, call: Call, kind_name: str) -> dict[str, Any]:
    kind, p, state = KINDS[kind_name], call.params, bed.bedrock(call)
    bed.settle_jobs(call)
    after = when(p.get("creationTimeAfter") or p.get("createdAfter") or p.get("submitTimeAfter"))
    before = when(p.get("creationTimeBefore") or p.get("createdBefore") or p.get("submitTimeBefore"))
    text = p.get("nameContains") or p.get("targetModelNameContains")

    def keep(doc: dict[str, Any]) -> bool:
        moment = doc[kind.time_field]
        return (
            (not text or text in doc.get(kind.name_field, ""))
            and (not p.get("statusEquals") or doc.get("status") == p["statusEquals"])
            and (not after or moment > after)
            and (not before or moment < before)
            and all(not p.get(name) or doc.get(member) == p[name] for name, member in kind.equals)
            and (p.get("isOwned") is None or (doc.get("ownerAccountId") == call.account) == p["isOwned"])
        )

    docs = sorted(
        (d for d in state.kinds[kind_name].values() if keep(d)),
        key=lambda d: d[kind.time_field],
        reverse=p.get("sortOrder") != "Ascending",
    )
    return paged(call, docs, kind.list_key)


def lister(action: str, kind: str) -> None:
    op("bedrock", action)(lambda bed, call: list_kind(bed, call, kind))


def getter(action: str, member: str, kind: str) -> None:
    def handle(bed: Bed, call: Call) -> dict[str, Any]:
        bed.settle_jobs(call)
        return bed.bedrock(call).find(kind, call.params[member])

    op("bedrock", action)(handle)


def deleter(action: str, member: str, kind: str) -> None:
    def handle(bed: Bed, call: Call) -> dict[str, Any]:
        state = bed.bedrock(call)
        state.drop(kind, state.find(kind, call.params[member]))
        return {}

    op("bedrock", action)(handle)


for _action, _kind in {
    "ListModelCustomizationJobs": "job",
    "ListCustomModels": "model",
    "ListModelImportJobs": "import_job",
    "ListImportedModels": "imported_model",
    "ListProvisionedModelThroughputs": "provisioned",
    "ListCustomModelDeployments": "deployment",
    "ListModelCopyJobs": "copy_job",
    "ListEvaluationJobs": "evaluation_job",
    "ListModelInvocationJobs": "invocation_job",
    "ListInferenceProfiles": "inference_profile",
}.items():
    lister(_action, _kind)
for _action, _member, _kind in (
    ("GetModelCustomizationJob", "jobIdentifier", "job"),
    ("GetCustomModel", "modelIdentifier", "model"),
    ("GetModelImportJob", "jobIdentifier", "import_job"),
    ("GetImportedModel", "modelIdentifier", "imported_model"),
    ("GetProvisionedModelThroughput", "provisionedModelId", "provisioned"),
    ("GetCustomModelDeployment", "customModelDeploymentIdentifier", "deployment"),
    ("GetModelCopyJob", "jobArn", "copy_job"),
    ("GetEvaluationJob", "jobIdentifier", "evaluation_job"),
    ("GetModelInvocationJob", "jobIdentifier", "invocation_job"),
    ("GetInferenceProfile", "inferenceProfileIdentifier", "inference_profile"),
):
    getter(_action, _member, _kind)
for _action, _member, _kind in (
    ("DeleteCustomModel", "modelIdentifier", "model"),
    ("DeleteImportedModel", "modelIdentifier", "imported_model"),
    ("DeleteProvisionedModelThroughput", "provisionedModelId", "provisioned"),
    ("DeleteCustomModelDeployment", "customModelDeploymentIdentifier", "deployment"),
):
    deleter(_action, _member, _kind)
