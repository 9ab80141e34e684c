"""What stands around Bedrock: Organizations, Access Analyzer, GuardDuty's findings and plans, RAM shares, graders,
OpenSearch Serverless policies, API keys. All of it is planted documents; nothing here can be made by a call."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .bedrock.lists import paged
from .matching import dig
from .protocol import AwsError, Call, op
from .values import now

if TYPE_CHECKING:
    from .bed import Bed


def docs(bed: Bed, call: Call, kind: str) -> dict[str, Any]:
    """Planted documents of one kind, by id."""
    return bed.beside[call.account, call.region].setdefault(kind, {})


def found(bed: Bed, call: Call, kind: str, ident: str, code: str = "ResourceNotFoundException") -> dict[str, Any]:
    doc = docs(bed, call, kind).get(ident)
    if doc is None:
        raise AwsError(code, f"{ident} is not found.", 404)
    return doc


def capital_pages(call: Call, rows: Iterable[Any], key: str, size: int, token: str = "NextToken") -> dict[str, Any]:
    """Pages of the services that write their tokens with a capital."""
    rows, start = list(rows), int(call.params.get(token) or 0)
    size = min(int(call.params.get("MaxResults") or size), size)
    answer: dict[str, Any] = {key: rows[start : start + size]}
    if start + size < len(rows):
        answer[token] = str(start + size)
    return answer


# Organizations


def organization(bed: Bed, call: Call) -> dict[str, Any]:
    doc = docs(bed, call, "organization").get("organization")
    if doc is None:
        raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", 400)
    return doc


@op("organizations", "DescribeOrganization")
def describe_organization(bed: Bed, call: Call) -> dict[str, Any]:
    return {"Organization": organization(bed, call)}


@op("organizations", "ListParents")
def list_parents(bed: Bed, call: Call) -> dict[str, Any]:
    organization(bed, call)
    parent = found(bed, call, "parents", call.params["ChildId"], "ChildNotFoundException")
    return {"Parents": [parent]}


@op("organizations", "ListPoliciesForTarget")
def list_policies_for_target(bed: Bed, call: Call) -> dict[str, Any]:
    organization(bed, call)
    p = call.params
    rows = [
        {k: doc[k] for k in ("Id", "Arn", "Name", "Type", "AwsManaged") if k in doc}
        for doc in docs(bed, call, "policies").values()
        if p["TargetId"] in doc["Targets"] and doc["Type"] == p["Filter"]
    ]
    return capital_pages(call, rows, "Policies", 1)


@op("organizations", "DescribePolicy")
def describe_policy(bed: Bed, call: Call) -> dict[str, Any]:
    doc = found(bed, call, "policies", call.params["PolicyId"], "PolicyNotFoundException")
    summary = {k: doc[k] for k in ("Id", "Arn", "Name", "Type", "AwsManaged") if k in doc}
    return {"Policy": {"PolicySummary": summary, "Content": json.dumps(doc["Content"])}}


@op("organizations", "DescribeEffectivePolicy")
def describe_effective_policy(bed: Bed, call: Call) -> dict[str, Any]:
    organization(bed, call)
    kind = call.params["PolicyType"]
    doc = found(bed, call, "effective_policies", kind, "EffectivePolicyNotFoundException")
    return {
        "EffectivePolicy": {
            "PolicyContent": json.dumps(doc),
            "LastUpdatedTimestamp": now(),
            "TargetId": call.account,
            "PolicyType": kind,
        }
    }


# Access Analyzer


@op("accessanalyzer", "ListAnalyzers")
def list_analyzers(bed: Bed, call: Call) -> dict[str, Any]:
    return paged(call, docs(bed, call, "analyzers").values(), "analyzers")


@op("accessanalyzer", "ListFindingsV2")
def list_analyzer_findings(bed: Bed, call: Call) -> dict[str, Any]:
    found(bed, call, "analyzers", call.params["analyzerArn"])
    status = ((call.params.get("filter") or {}).get("status") or {}).get("eq")
    rows = [
        {k: v for k, v in doc.items() if k not in ("findingDetails", "analyzerArn")}
        for doc in docs(bed, call, "analyzer_findings").values()
        if doc["analyzerArn"] == call.params["analyzerArn"] and (not status or doc["status"] in status)
    ]
    # Two a page, so that whoever reads one page only is found out.
    call.params["maxResults"] = min(int(call.params.get("maxResults") or 100), 2)
    return paged(call, rows, "findings")


@op("accessanalyzer", "GetFindingV2")
def get_analyzer_finding(bed: Bed, call: Call) -> dict[str, Any]:
    return found(bed, call, "analyzer_findings", call.params["id"])


# GuardDuty; detectors are moto's


@op("guardduty", "ListFindings")
def list_threats(bed: Bed, call: Call) -> dict[str, Any]:
    criterion = ((call.params.get("FindingCriteria") or {}).get("Criterion")) or {}

    def holds(doc: dict[str, Any]) -> bool:
        for path, rule in criterion.items():
            wanted = rule.get("Equals") or rule.get("Eq")
            value = dig(doc, path)
            if wanted and (str(value).lower() if isinstance(value, bool) else str(value)) not in wanted:
                return False
        return True

    ids = [ident for ident, doc in docs(bed, call, "threats").items() if holds(doc)]
    return capital_pages(call, ids, "FindingIds", 50)


@op("guardduty", "GetFindings")
def get_threats(bed: Bed, call: Call) -> dict[str, Any]:
    table = docs(bed, call, "threats")
    return {"Findings": [capitals(table[i]) for i in call.params["FindingIds"] if i in table]}


def capitals(value: Any) -> Any:
    """The names of GuardDuty's model, which are those of its wire with a capital."""
    if isinstance(value, dict):
        return {k[:1].upper() + k[1:]: capitals(v) for k, v in value.items()}
    return [capitals(v) for v in value] if isinstance(value, list) else value


@op("guardduty", "ListMalwareProtectionPlans")
def list_malware_plans(bed: Bed, call: Call) -> dict[str, Any]:
    plans = [{"MalwareProtectionPlanId": ident} for ident in docs(bed, call, "malware_plans")]
    return {"MalwareProtectionPlans": plans}


@op("guardduty", "GetMalwareProtectionPlan")
def get_malware_plan(bed: Bed, call: Call) -> dict[str, Any]:
    return capitals(found(bed, call, "malware_plans", call.params["MalwareProtectionPlanId"]))


# RAM


@op("ram", "ListResources")
def list_shared(bed: Bed, call: Call) -> dict[str, Any]:
    kind = call.params.get("resourceType")
    rows = [
        {"arn": arn, "type": share["type"], "resourceShareArn": share["resourceShareArn"], "status": "AVAILABLE"}
        for share in docs(bed, call, "shares").values()
        for arn in share["resources"]
        if kind in (None, share["type"])
    ]
    return paged(call, rows, "resources")


def wanted_shares(bed: Bed, call: Call) -> list[dict[str, Any]]:
    arns = call.params.get("resourceShareArns")
    return [doc for arn, doc in docs(bed, call, "shares").items() if not arns or arn in arns]


@op("ram", "GetResourceShares")
def get_shares(bed: Bed, call: Call) -> dict[str, Any]:
    own = ("type", "resources", "principals")
    rows = [{k: v for k, v in doc.items() if k not in own} for doc in wanted_shares(bed, call)]
    return paged(call, rows, "resourceShares")


@op("ram", "ListPrincipals")
def list_share_principals(bed: Bed, call: Call) -> dict[str, Any]:
    rows = [
        {**principal, "resourceShareArn": doc["resourceShareArn"]}
        for doc in wanted_shares(bed, call)
        for principal in doc["principals"]
    ]
    return paged(call, rows, "principals")


# Lambda


@op("lambda", "GetFunctionConfiguration")
def get_function_configuration(bed: Bed, call: Call) -> dict[str, Any]:
    return found(bed, call, "functions", call.params["FunctionName"])["configuration"]


@op("lambda", "GetPolicy")
def get_function_policy(bed: Bed, call: Call) -> dict[str, Any]:
    policy = found(bed, call, "functions", call.params["FunctionName"]).get("policy")
    if policy is None:
        raise AwsError("ResourceNotFoundException", "The function has no policy.", 404)
    return {"Policy": json.dumps(policy), "RevisionId": "1"}


# OpenSearch Serverless


@op("opensearchserverless", "ListSecurityPolicies")
def list_security_policies(bed: Bed, call: Call) -> dict[str, Any]:
    wanted = call.params.get("resource") or []
    rows = [
        {"type": doc["type"], "name": doc["name"], "policyVersion": "1"}
        for doc in docs(bed, call, "security_policies").values()
        if doc["type"] == call.params["type"] and (not wanted or set(wanted) & set(doc["resources"]))
    ]
    return paged(call, rows, "securityPolicySummaries")


@op("opensearchserverless", "GetSecurityPolicy")
def get_security_policy(bed: Bed, call: Call) -> dict[str, Any]:
    doc = found(bed, call, "security_policies", f"{call.params['type']}/{call.params['name']}")
    return {"securityPolicyDetail": {"type": doc["type"], "name": doc["name"], "policy": doc["policy"]}}


# IAM


@op("iam", "ListServiceSpecificCredentials")
def list_service_specific_credentials(bed: Bed, call: Call) -> dict[str, Any]:
    p = call.params
    rows = [
        doc
        for doc in docs(bed, call, "api_keys").values()
        if p.get("ServiceName") in (None, doc["ServiceName"])
        and (p.get("AllUsers") or p.get("UserName") in (None, doc["UserName"]))
    ]
    return {"ServiceSpecificCredentials": rows, "IsTruncated": False}


# CloudTrail Lake


@op("cloudtrail", "ListEventDataStores")
def list_event_data_stores(bed: Bed, call: Call) -> dict[str, Any]:
    rows = [{k: d[k] for k in ("EventDataStoreArn", "Name")} for d in docs(bed, call, "event_data_stores").values()]
    return capital_pages(call, rows, "EventDataStores", 50)


@op("cloudtrail", "GetEventDataStore")
def get_event_data_store(bed: Bed, call: Call) -> dict[str, Any]:
    return found(bed, call, "event_data_stores", call.params["EventDataStore"], "EventDataStoreNotFoundException")


# CloudWatch Logs


@op("logs", "GetDataProtectionPolicy")
def get_data_protection_policy(bed: Bed, call: Call) -> dict[str, Any]:
    """Without a policy AWS answers with the group alone."""
    group = call.params["logGroupIdentifier"]
    policy = docs(bed, call, "data_protection").get(group)
    return {"logGroupIdentifier": group, **({"policyDocument": policy} if policy else {})}
