"""IAM and STS: last-accessed reports, policy simulation, paging, and who the caller is."""

from __future__ import annotations

import fnmatch
import json
import uuid
from typing import TYPE_CHECKING, Any

from .protocol import AwsError, Call, op
from .values import now, when

if TYPE_CHECKING:
    from .bed import Bed


@op("iam", "GenerateServiceLastAccessedDetails")
def generate_last_accessed(bed: Bed, call: Call) -> dict[str, Any]:
    ident = str(uuid.uuid4())
    bed.last_accessed_jobs[ident] = call.params["Arn"]
    return {"JobId": ident}


@op("iam", "GetServiceLastAccessedDetails")
def get_last_accessed(bed: Bed, call: Call) -> dict[str, Any]:
    arn = bed.last_accessed_jobs.get(call.params["JobId"])
    if arn is None:
        raise AwsError("NoSuchEntity", "No such job.", 404)
    services = bed.last_accessed.get(arn, {})
    return {
        "JobStatus": "COMPLETED",
        "JobCreationDate": now(),
        "JobCompletionDate": now(),
        "IsTruncated": False,
        "ServicesLastAccessed": [
            {
                "ServiceName": n,
                "ServiceNamespace": n,
                "TotalAuthenticatedEntities": 1 if at else 0,
                **({"LastAuthenticated": when(at), "LastAuthenticatedEntity": arn} if at else {}),
            }
            for n, at in services.items()
        ],
    }


@op("iam", "SimulatePrincipalPolicy")
def simulate(bed: Bed, call: Call) -> dict[str, Any]:
    """Identity policies only: globs on Action and Resource, explicit Deny wins,
    a statement with a Condition counts only if it denies nothing (best effort)."""
    p = call.params
    documents = identity_policies(call, p["PolicySourceArn"])
    results = []
    for action in p["ActionNames"]:
        for resource in p.get("ResourceArns") or ["*"]:
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decide(documents, action, resource),
                    "MatchedStatements": [],
                    "MissingContextValues": [],
                }
            )
    return {"EvaluationResults": results, "IsTruncated": False}


def identity_policies(call: Call, arn: str) -> list[dict[str, Any]]:
    backend, name = call.backend("iam"), arn.rsplit("/", 1)[-1]
    role = next((r for r in backend.roles.values() if r.arn == arn or r.name == name), None)
    if role is None:
        raise AwsError("NoSuchEntity", f"The entity {arn} cannot be found.", 404)
    texts = list(role.policies.values()) + [policy.document for policy in role.managed_policies.values()]
    return [json.loads(t) if isinstance(t, str) else t for t in texts]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def decide(documents: list[dict[str, Any]], action: str, resource: str) -> str:
    """What the statements say of one action on one resource; conditions are not read."""

    def hit(globs: Any, value: str) -> bool:
        return any(fnmatch.fnmatchcase(value.lower(), str(g).lower()) for g in as_list(globs))

    allowed = False
    for statement in (s for d in documents for s in as_list(d.get("Statement", []))):
        if "Action" in statement:
            applies = hit(statement["Action"], action)
        else:
            applies = not hit(statement.get("NotAction", "*"), action)
        applies = applies and hit(statement.get("Resource", resource), resource)
        if applies and statement.get("Effect") == "Deny":
            return "explicitDeny"
        allowed = allowed or (applies and statement.get("Effect") == "Allow")
    return "allowed" if allowed else "implicitDeny"


@op("iam", "GetAccountAuthorizationDetails")
def get_account_authorization_details(bed: Bed, call: Call) -> dict[str, Any]:
    """moto answers everything at once; AWS pages by MaxItems over all four lists together."""
    whole = bed.ask_moto_parsed(call)
    for policy in whole.get("Policies") or []:
        # AWS always names a managed policy; moto leaves that out here.
        policy.setdefault("PolicyName", policy["Arn"].rsplit("/", 1)[-1])
    size = int(call.params.get("MaxItems") or 100)
    if not 1 <= size <= 1000:
        raise AwsError("ValidationError", "MaxItems must be between 1 and 1000.", 400)
    try:
        start = int(call.params.get("Marker") or 0)
    except ValueError:
        raise AwsError("ValidationError", "Invalid Marker.", 400) from None
    names = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    rows = [(name, item) for name in names for item in whole.get(name) or []]
    page = rows[start : start + size]
    answer: dict[str, Any] = {name: [item for n, item in page if n == name] for name in names}
    answer["IsTruncated"] = start + size < len(rows)
    if answer["IsTruncated"]:
        answer["Marker"] = str(start + size)
    return answer
