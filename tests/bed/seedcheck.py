"""Checks the seed account against its manifest: python seedcheck.py URL (a bed started with --seed orion)."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
MANIFEST = json.loads((Path(__file__).parent / "seed" / "manifest.json").read_text())
HOME = MANIFEST["regions"]["us-east-1"]
CONTROLS = {
    "CUS-KMS-01",
    "CUS-KMS-02",
    "CUS-KMS-03",
    "CUS-KMS-04",
    "CUS-KMS-06",
    "CUS-KMS-07",
    "CUS-IAM-01",
    "CUS-IAM-02",
    "CUS-NET-01",
    "CUS-NET-02",
    "CUS-LOG-01",
    "CUS-DET-01",
}
failed = 0


def client(service: str, region: str = "us-east-1", key: str = "ONCALLREADONLY") -> Any:
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key="x",
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )


def control(route: str, document: Any = None, method: str = "POST") -> Any:
    body = None if method == "GET" else json.dumps(document or {}).encode()
    with urllib.request.urlopen(
        urllib.request.Request(f"{URL}/_bed/{route}", body, method=method), timeout=60
    ) as answer:
        return json.load(answer)


def check(name: str, got: Any, wanted: Any = True) -> None:
    global failed
    same = got == wanted
    failed += not same
    print(f"ok   {name}" if same else f"FAIL {name}: got {got!r}, wanted {wanted!r}")


def code(call: Any, **arguments: Any) -> str | None:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def expected(name: str, status: str | None = None) -> set[str]:
    rows = HOME["expected"]
    return {r["resource"] for r in rows if r["control"] == name and status in (None, r["status"])}


def check_lineage() -> None:
    """What the manifest calls complete is complete."""
    bedrock, kms = client("bedrock"), client("kms")
    check("every control is expected somewhere", CONTROLS - {r["control"] for r in HOME["expected"]}, set())
    jobs = {}
    for row in bedrock.list_model_customization_jobs(maxResults=100)["modelCustomizationJobSummaries"]:
        jobs[row["jobName"]] = bedrock.get_model_customization_job(jobIdentifier=row["jobArn"])
    check("jobs", {name: job["jobArn"] for name, job in jobs.items()}, HOME["resources"]["jobs"])
    check("every job is judged by NET-01", set(jobs), expected("CUS-NET-01"))
    check("jobs without a VPC", {n for n, j in jobs.items() if not j.get("vpcConfig")}, expected("CUS-NET-01", "FAIL"))
    newest = {
        job["outputModelName"]: name for name, job in sorted(jobs.items(), key=lambda row: row[1]["creationTime"])
    }
    judged = set(newest.values()) | {name for name, job in jobs.items() if job["status"] == "InProgress"}
    check("jobs judged by KMS-02", judged, expected("CUS-KMS-02"))
    keyless = {name for name in judged if not jobs[name].get("outputModelKmsKeyArn")}
    check("jobs without a key", keyless, expected("CUS-KMS-02", "FAIL"))
    roles = {job["roleArn"].rsplit("/", 1)[-1] for job in jobs.values()}
    check("roles judged by IAM-01", roles, expected("CUS-IAM-01"))
    used = {subnet for job in jobs.values() for subnet in (job.get("vpcConfig") or {}).get("subnetIds", [])}
    named = {name for name, ident in HOME["resources"]["subnets"].items() if ident in used} - {"lab-gone-a"}
    check("subnets judged by NET-02", named, expected("CUS-NET-02"))
    owned = {m["modelName"] for m in bedrock.list_custom_models(isOwned=True)["modelSummaries"]}
    check("models judged by KMS-01", owned, expected("CUS-KMS-01"))
    pairs = {
        f"{alias} x {job['roleArn'].rsplit('/', 1)[-1]}"
        for job in jobs.values()
        for alias, ident in HOME["resources"]["keys"].items()
        if job.get("outputModelKmsKeyArn", "").endswith(ident)
    }
    check("customizers judged by KMS-06", pairs - expected("CUS-KMS-06"), set())
    aliases = kms.get_paginator("list_aliases").paginate().build_full_result()["Aliases"]
    ids = {a["AliasName"].removeprefix("alias/"): a["TargetKeyId"] for a in aliases if a.get("TargetKeyId")}
    check("keys", ids, HOME["resources"]["keys"])
    lineage = set(MANIFEST["keys_by_lineage"])
    check("keys judged by KMS-03, 07", (expected("CUS-KMS-03"), expected("CUS-KMS-07")), (lineage, lineage))


def check_facts() -> None:
    """The planted flaws, and their healthy neighbours, as the calls tell them."""
    kms, ec2, bedrock, events = client("kms"), client("ec2"), client("bedrock"), client("events")
    ids = HOME["resources"]["keys"]
    states = {name: kms.describe_key(KeyId=ident)["KeyMetadata"]["KeyState"] for name, ident in ids.items()}
    bad = {name for name in MANIFEST["keys_by_lineage"] if states[name] != "Enabled"}
    check("unusable keys", bad, expected("CUS-KMS-03", "FAIL"))
    check("the managed key", kms.describe_key(KeyId=ids["aws/s3"])["KeyMetadata"]["KeyManager"], "AWS")
    rotation = {
        n: kms.get_key_rotation_status(KeyId=ids[n])
        for n in MANIFEST["keys_by_lineage"]
        if n not in ("orion-law", "orion-eyes")
    }
    fine = {n for n, r in rotation.items() if r["KeyRotationEnabled"] and r["RotationPeriodInDays"] <= 365}
    check("rotation", fine, expected("CUS-KMS-04", "PASS"))
    sync = [
        g
        for g in kms.list_grants(KeyId=ids["orion-chat"])["Grants"]
        if MANIFEST["foreign_account"] in g["GranteePrincipal"]
    ]
    check("the foreign grant", ["CreateGrant" in g["Operations"] for g in sync], [True])
    gone = HOME["resources"]["subnets"]["lab-gone-a"]
    check("the deleted subnet", code(ec2.describe_subnets, SubnetIds=[gone]), "InvalidSubnetID.NotFound")
    group = HOME["resources"]["security_groups"]["sg-gone"]
    check("the deleted group", code(ec2.describe_security_groups, GroupIds=[group]), "InvalidGroup.NotFound")
    check("invocation logging", "loggingConfig" in bedrock.get_model_invocation_logging_configuration())
    abroad = client("bedrock", "eu-west-1")
    check("no logging abroad", "loggingConfig" in abroad.get_model_invocation_logging_configuration(), False)
    target = events.list_targets_by_rule(Rule="orion-customization")["Targets"][0]
    check("no dead letters", "DeadLetterConfig" in target, False)
    told = {key: client("sts", key=key).get_caller_identity()["Arn"] for key in ("ONCALLREADONLY", "ONCALLWRITE")}
    check("identities", told, {key: MANIFEST["identities"][key] for key in told})
    tags = bedrock.list_tags_for_resource(resourceARN=HOME["resources"]["jobs"]["orion-old-1"])["tags"]
    check("the hostile tag", any("\x1b[" in t["value"] and "\u202e" in t["value"] for t in tags))
    history = client("cloudtrail").get_paginator("lookup_events").paginate().build_full_result()["Events"]
    check("some 300 events", 300 <= sum(e["AccessKeyId"].startswith("ASIA") for e in history) <= 350)


def check_changes() -> None:
    """Policies, grants, dry runs, and the count of what changes something."""
    control("calls", method="DELETE")
    kms, write = client("kms"), client("kms", key="ONCALLWRITE")
    ids = HOME["resources"]["keys"]
    policy = json.loads(kms.get_key_policy(KeyId=ids["orion-std"], PolicyName="default")["Policy"])
    check("reading changes nothing", control("calls", method="GET")["mutating"], 0)

    def put(name: str, document: Any) -> str | None:
        text = document if isinstance(document, str) else json.dumps(document)
        return code(write.put_key_policy, KeyId=ids[name], PolicyName="default", Policy=text)

    check("a good policy", put("orion-std", policy), None)
    check("no JSON", put("orion-std", "{"), "MalformedPolicyDocumentException")
    check(
        "no statement", put("orion-std", {"Version": "2012-10-17", "Statement": []}), "MalformedPolicyDocumentException"
    )
    unknown = json.loads(json.dumps(policy).replace("role/OrionTuner", "role/Nobody"))
    check("an unknown role", put("orion-std", unknown), "MalformedPolicyDocumentException")
    check("a long policy", put("orion-std", {**policy, "Id": "x" * 33_000}), "LimitExceededException")
    lockout = {
        **policy,
        "Statement": [s for s in policy["Statement"] if s["Sid"] not in ("Admins", "AccountAdministers")],
    }
    check("a lockout", put("orion-std", lockout), "MalformedPolicyDocumentException")
    law = json.loads(kms.get_key_policy(KeyId=ids["orion-law"], PolicyName="default")["Policy"])
    check("oncall-write is no administrator of orion-law", put("orion-law", law), "MalformedPolicyDocumentException")
    grant = {
        "KeyId": ids["orion-std"],
        "GranteePrincipal": "bedrock.amazonaws.com",
        "Operations": ["Decrypt"],
        "Name": "n",
    }
    check("dry run", code(write.create_grant, **grant, DryRun=True), "DryRunOperationException")
    first, second = write.create_grant(**grant)["GrantId"], write.create_grant(**grant)["GrantId"]
    check("a named grant twice is one grant", first == second and len(first) == 64)
    check(
        "dry revoke",
        code(write.revoke_grant, KeyId=ids["orion-std"], GrantId=first, DryRun=True),
        "DryRunOperationException",
    )
    write.revoke_grant(KeyId=ids["orion-std"], GrantId=first)
    check(
        "no grant on a disabled key",
        code(write.create_grant, **{**grant, "KeyId": ids["orion-off"]}),
        "DisabledException",
    )
    calls = control("calls", method="GET")
    check(
        "mutating calls",
        (calls["mutating"], calls["dry_runs"], calls["mutating_calls"][0]["operation"]),
        (11, 2, "kms:PutKeyPolicy"),
    )
    pages = list(
        client("iam").get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 10})
    )
    names = [role["RoleName"] for page in pages for role in page["RoleDetailList"]]
    check(
        "authorization details page",
        (len(pages) > 3, len(names) == len(set(names)), "App" in names),
        (True, True, True),
    )


def check_story() -> None:
    """The live account, stepped by hand; then everything back as it was."""
    bedrock = client("bedrock")
    happened = control("live", {"step": 8})["happened"]
    check("orion-chat-3 completes", "orion-chat-3 completes, model orion-chat-v2 appears" in happened)
    check("its model is there", bedrock.get_custom_model(modelIdentifier="orion-chat-v2")["jobName"], "orion-chat-3")
    control("live", {"step": 16})
    check("a new job ran", bedrock.get_model_customization_job(jobIdentifier="orion-live-1")["status"], "Completed")
    control("reset", {"seed": "orion"})
    check("reset counts nothing", control("calls", method="GET")["total"], 0)
    check_lineage()


check_lineage()
check_facts()
check_changes()
check_story()
print("0 failed" if not failed else f"{failed} failed")
sys.exit(bool(failed))
