"""What stands around Bedrock in the seed account, with the facts that controls must find.

Planted last, so that the identifiers of everything else stay as they are.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from .names import ACCOUNT, HOME, PARTNER, role_arn
from .network import Network

ROOT, UNIT = "r-orion", "ou-orion-ml"
ANALYZER = f"arn:aws:access-analyzer:{HOME}:{ACCOUNT}:analyzer/orion-account"
GRADER = f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:orion-grader"
SHARE = f"arn:aws:ram:{HOME}:{ACCOUNT}:resource-share/8f1d2c7e-0000-4000-8000-000000000001"
TOPIC = f"arn:aws:sns:{HOME}:{ACCOUNT}:orion-alerts"


def plant(planter: Any, keys: dict[str, str], networks: Network, served: dict[str, str]) -> None:
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    beside = planter.bed.beside[ACCOUNT, HOME]
    organizations(beside)
    watchers(planter, beside, keys, now)
    sensitive(planter, now)
    counted(planter, served, now)
    feeders(planter, beside, now)
    networks_watched(planter, networks)
    settings(planter, beside, now)


def organizations(beside: dict[str, Any]) -> None:
    """A member account; its unit forbids long-term API keys."""
    arn = f"arn:aws:organizations::999988887777:organization/o-orion{'0' * 5}"
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    forbid = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "NoLongTermKeys",
                "Effect": "Deny",
                "Action": "bedrock:CallWithBearerToken",
                "Resource": "*",
                "Condition": {"StringEquals": {"bedrock:BearerTokenType": "LONG_TERM"}},
            }
        ],
    }
    path = [ROOT, UNIT, ACCOUNT]
    beside["organization"] = {
        "organization": {
            "Id": "o-orion00000",
            "Arn": arn,
            "FeatureSet": "ALL",
            "MasterAccountId": "999988887777",
            "MasterAccountEmail": "aws@example.org",
        }
    }
    beside["parents"] = {
        ACCOUNT: {"Id": UNIT, "Type": "ORGANIZATIONAL_UNIT"},
        UNIT: {"Id": ROOT, "Type": "ROOT"},
    }
    kinds = {"SERVICE_CONTROL_POLICY": "p-FullAWSAccess", "RESOURCE_CONTROL_POLICY": "p-RCPFullAWSAccess"}
    beside["policies"] = {
        ident: {
            "Id": ident,
            "Name": ident[2:],
            "Type": kind,
            "AwsManaged": True,
            "Targets": path,
            "Content": full,
        }
        for kind, ident in kinds.items()
    }
    beside["policies"]["p-orionkeys"] = {
        "Id": "p-orionkeys",
        "Name": "no-long-term-keys",
        "Type": "SERVICE_CONTROL_POLICY",
        "AwsManaged": False,
        "Targets": [UNIT],
        "Content": forbid,
    }


def watchers(planter: Any, beside: dict[str, Any], keys: dict[str, str], now: dt.datetime) -> None:
    """Access Analyzer with findings on lineage and beside it; GuardDuty without its protection of models."""
    beside["analyzers"] = {
        ANALYZER: {
            "arn": ANALYZER,
            "name": "orion-account",
            "type": "ACCOUNT",
            "status": "ACTIVE",
            "createdAt": now - dt.timedelta(days=300),
            "lastResourceAnalyzedAt": now - dt.timedelta(hours=2),
        }
    }

    def finding(ident: str, resource: str, kind: str, principal: str, **more: Any) -> dict[str, Any]:
        access = {"isPublic": principal == "*", "principal": {"AWS": principal}, "action": ["*"], "condition": {}}
        return {
            "id": ident,
            "analyzerArn": ANALYZER,
            "resource": resource,
            "resourceType": kind,
            "resourceOwnerAccount": ACCOUNT,
            "status": "ACTIVE",
            "findingType": "ExternalAccess",
            "analyzedAt": now - dt.timedelta(hours=2),
            "createdAt": now - dt.timedelta(days=20),
            "updatedAt": now - dt.timedelta(days=20),
            "findingDetails": [{"externalAccessDetails": access}],
            **more,
        }

    rows = (
        finding("aa-shared-key", keys["orion-shared"], "AWS::KMS::Key", PARTNER),
        finding("aa-wide-role", role_arn("TunerRoleWide"), "AWS::IAM::Role", PARTNER),
        finding("aa-public-role", role_arn("TunerRolePublic"), "AWS::IAM::Role", "*"),
        finding("aa-archived", role_arn("TunerRoleWide"), "AWS::IAM::Role", PARTNER, status="ARCHIVED"),
        finding("aa-elsewhere", "arn:aws:s3:::payroll-exports", "AWS::S3::Bucket", PARTNER),
    )
    beside["analyzer_findings"] = {row["id"]: row for row in rows}
    guardduty = planter.client("guardduty", HOME)
    guardduty.create_detector(
        Enable=True,
        Features=[
            {"Name": "S3_DATA_EVENTS", "Status": "ENABLED"},
            {"Name": "RUNTIME_MONITORING", "Status": "DISABLED"},
        ],
    )

    def threat(ident: str, kind: str, archived: bool, **resource: Any) -> dict[str, Any]:
        return {
            "id": ident,
            "type": kind,
            "title": f"{kind} in {ACCOUNT}",
            "severity": 5.0,
            "accountId": ACCOUNT,
            "arn": f"arn:aws:guardduty:{HOME}:{ACCOUNT}:detector/d/finding/{ident}",
            "region": HOME,
            "schemaVersion": "2.0",
            "createdAt": (now - dt.timedelta(days=2)).isoformat(),
            "updatedAt": (now - dt.timedelta(hours=5)).isoformat(),
            "resource": resource,
            "service": {"archived": archived, "count": 3},
        }

    greedy = {"userName": "AppGreedy", "userType": "AssumedRole", "principalId": "AROAGREEDY"}
    beside["threats"] = {
        row["id"]: row
        for row in (
            threat("gd-invocations", "Impact:IAMUser/AnomalousModelInvocation", False, accessKeyDetails=greedy),
            threat("gd-file", "Object:S3/MaliciousFile", False, s3BucketDetails=[{"name": "orion-imports"}]),
            threat("gd-old", "Impact:IAMUser/CostHarvesting", True, accessKeyDetails=greedy),
            threat("gd-other", "Recon:EC2/Portscan", False),
        )
    }
    beside["malware_plans"] = {
        "orionplan01": {
            "arn": f"arn:aws:guardduty:{HOME}:{ACCOUNT}:malware-protection-plan/orionplan01",
            "role": role_arn("svc-01"),
            "protectedResource": {"s3Bucket": {"bucketName": "orion-imports", "objectPrefixes": ["eyes/"]}},
            "actions": {"tagging": {"status": "ENABLED"}},
            "createdAt": now - dt.timedelta(days=90),
            "status": "WARNING",
            "statusReasons": [{"code": "INSUFFICIENT_TEST_OBJECT_PERMISSIONS", "message": "no test object"}],
        }
    }


def sensitive(planter: Any, now: dt.datetime) -> None:
    """Macie looks into the training data, not into the validation data, and may not into the logs."""
    macie = planter.client("macie2", HOME)
    macie.enable_macie()
    planter.bed.macies[ACCOUNT, HOME]["discovery"] = "DISABLED"
    macie.create_classification_job(
        name="orion-nightly",
        jobType="SCHEDULED",
        clientToken="orion",
        s3JobDefinition={"bucketDefinitions": [{"accountId": ACCOUNT, "buckets": ["orion-train"]}]},
    )
    known = planter.bed.macies[ACCOUNT, HOME]

    def bucket(name: str, watched: bool, **more: Any) -> dict[str, Any]:
        flag = "TRUE" if watched else "FALSE"
        return {
            "bucketName": name,
            "accountId": ACCOUNT,
            "region": HOME,
            "automatedDiscoveryMonitoringStatus": "NOT_MONITORED",
            "jobDetails": {
                "isDefinedInJob": flag,
                "isMonitoredByJob": flag,
                **({"lastJobRunTime": now - dt.timedelta(days=30)} if watched else {}),
            },
            "classifiableObjectCount": 4,
            "unclassifiableObjectCount": {"fileType": 0, "storageClass": 0, "total": 0},
            **more,
        }

    rows = (
        bucket("orion-train", True, sensitivityScore=91),
        bucket("orion-val", False, sensitivityScore=50),
        bucket("orion-logs", False, errorCode="ACCESS_DENIED", errorMessage="Macie may not look."),
    )
    known["buckets"] = {row["bucketName"]: row for row in rows}

    def finding(ident: str, name: str, archived: bool) -> dict[str, Any]:
        return {
            "id": ident,
            "accountId": ACCOUNT,
            "archived": archived,
            "category": "CLASSIFICATION",
            "type": "SensitiveData:S3Object/Personal",
            "severity": {"description": "High", "score": 3},
            "resourcesAffected": {"s3Bucket": {"name": name}, "s3Object": {"key": "chat/train.jsonl"}},
            "classificationDetails": {
                "result": {
                    "sensitiveData": [
                        {"category": "PERSONAL_INFORMATION", "detections": [{"type": "EMAIL_ADDRESS", "count": 12}]}
                    ]
                }
            },
            "createdAt": now - dt.timedelta(days=30),
            "updatedAt": now - dt.timedelta(days=30),
        }

    rows = (
        finding("macie-emails", "orion-train", False),
        finding("macie-old", "orion-train", True),
        finding("macie-elsewhere", "payroll-exports", False),
    )
    known["findings"] = {row["id"]: row for row in rows}


def counted(planter: Any, served: dict[str, str], now: dt.datetime) -> None:
    """Alarms: one that tells somebody, one that tells nobody. Metrics: one throughput is idle."""
    cloudwatch = planter.client("cloudwatch", HOME)
    common = {
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 300,
        "Statistic": "Sum",
        "Threshold": 0,
    }
    cloudwatch.put_metric_alarm(
        AlarmName="orion-attacks",
        Namespace="Orion",
        MetricName="Attacks",
        ActionsEnabled=True,
        AlarmActions=[TOPIC],
        **common,
    )
    cloudwatch.put_metric_alarm(
        AlarmName="orion-log-delivery",
        Namespace="AWS/Bedrock",
        MetricName="ModelInvocationLogsCloudWatchDeliveryFailure",
        ActionsEnabled=False,
        AlarmActions=[],
        **common,
    )
    from moto.cloudwatch.models import MetricDatum  # the API refuses names that begin with AWS/

    backend = planter.backend("cloudwatch", HOME)

    def count(name: str, times: int, model: str | None = None) -> None:
        dimensions = [{"Name": "ModelId", "Value": model}] if model else []
        for hour in range(1, times + 1):
            at = (now - dt.timedelta(hours=hour)).replace(tzinfo=None)  # as moto keeps them
            datum = MetricDatum(
                namespace="AWS/Bedrock", name=name, value=10.0, dimensions=dimensions, timestamp=at, unit="Count"
            )
            backend.metric_data.append(datum)

    count("Invocations", 12)
    count("Invocations", 6, served["orion-chat-pt"])
    count("ModelInvocationLogsCloudWatchDeliverySuccess", 12)
    count("ModelInvocationLogsS3DeliveryFailure", 2)


def feeders(planter: Any, beside: dict[str, Any], now: dt.datetime) -> None:
    """The training job that made the imported weights, the grader of orion-fast-1, a share with the partner."""
    sagemaker = planter.client("sagemaker", HOME)
    for name, isolated in (("eyes", False), ("unrelated", True)):
        sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": "1.dkr.ecr.us-east-1.amazonaws.com/x:1", "TrainingInputMode": "File"},
            RoleArn=role_arn("svc-02"),
            OutputDataConfig={"S3OutputPath": "s3://orion-imports" if name == "eyes" else "s3://elsewhere/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
            EnableNetworkIsolation=isolated,
            EnableInterContainerTrafficEncryption=isolated,
        )
    beside["functions"] = {
        GRADER: {
            "configuration": {
                "FunctionName": "orion-grader",
                "FunctionArn": GRADER,
                "Role": role_arn("svc-03"),
                "Runtime": "python3.13",
                "Environment": {"Variables": {"TOKEN": "must-never-be-seen"}},
            },
            "policy": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "Bedrock",
                        "Effect": "Allow",
                        "Principal": {"Service": "bedrock.amazonaws.com"},
                        "Action": "lambda:InvokeFunction",
                        "Resource": GRADER,
                    }
                ],
            },
        }
    }
    model = planter.bed.bedrock_state(ACCOUNT, HOME).find("model", "orion-shared-v1")["modelArn"]
    beside["shares"] = {
        SHARE: {
            "resourceShareArn": SHARE,
            "name": "orion-partners",
            "owningAccountId": ACCOUNT,
            "allowExternalPrincipals": True,
            "status": "ACTIVE",
            "creationTime": now - dt.timedelta(days=25),
            "type": "bedrock:CustomModel",
            "resources": [model],
            "principals": [{"id": PARTNER, "external": True}],
        }
    }


def networks_watched(planter: Any, networks: Network) -> None:
    """Flow logs of the isolated VPC only; the other asks a name server of its own."""
    ec2 = planter.client("ec2", HOME)
    for vpc, servers in (("vpc-orion", ["AmazonProvidedDNS"]), ("vpc-lab", ["10.30.0.9"])):
        made = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name-servers", "Values": servers}])
        options = made["DhcpOptions"]["DhcpOptionsId"]
        ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=networks.vpcs[vpc])
    ec2.create_flow_logs(
        ResourceIds=[networks.vpcs["vpc-orion"]],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination="arn:aws:s3:::orion-logs",
    )


def settings(planter: Any, beside: dict[str, Any], now: dt.datetime) -> None:
    """A key that never expires, an account block with a hole, an enforced guardrail that leaves one model out."""
    beside["api_keys"] = {
        "ACCAORION0000000001": {
            "UserName": "ci",
            "Status": "Active",
            "ServiceUserName": f"ci+1-at-{ACCOUNT}",
            "CreateDate": now - dt.timedelta(days=200),
            "ServiceSpecificCredentialId": "ACCAORION0000000001",
            "ServiceName": "bedrock.amazonaws.com",
        }
    }
    planter.client("s3control", HOME).put_public_access_block(
        AccountId=ACCOUNT,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": False,
        },
    )
    state = planter.bed.bedrock_state(ACCOUNT, HOME)
    guardrail = next(v["1"] for v in state.guardrails.values() if v["DRAFT"]["name"] == "orion-guard")
    left_out = state.find("model", "orion-law-v1")["modelArn"]
    state.enforced_guardrails["orion-enforced"] = {
        "configId": "orion-enforced",
        "guardrailArn": guardrail["guardrailArn"],
        "guardrailId": guardrail["guardrailId"],
        "guardrailVersion": "1",
        "createdAt": now - dt.timedelta(days=30),
        "updatedAt": now - dt.timedelta(days=30),
        "owner": "ACCOUNT",
        "modelEnforcement": {"includedModels": ["ALL"], "excludedModels": [left_out]},
        "selectiveContentGuarding": {"system": "COMPREHENSIVE", "messages": "SELECTIVE"},
    }
    state.data_retention = {"mode": "provider_data_share", "updatedAt": now - dt.timedelta(days=60)}
    store = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:eventdatastore/0a1b2c3d-0000-4000-8000-000000000001"
    field = lambda name, *values: {"Field": name, "Equals": list(values)}
    beside["event_data_stores"] = {
        store: {
            "EventDataStoreArn": store,
            "Name": "orion-lake",
            "Status": "ENABLED",
            "MultiRegionEnabled": False,
            "OrganizationEnabled": False,
            "RetentionPeriod": 365,
            "AdvancedEventSelectors": [
                {
                    "Name": "guardrails",
                    "FieldSelectors": [
                        field("eventCategory", "Data"),
                        field("resources.type", "AWS::Bedrock::Guardrail"),
                    ],
                }
            ],
        }
    }
    protection = {
        "Name": "orion",
        "Version": "2021-06-01",
        "Statement": [
            {
                "Sid": "audit",
                "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"],
                "Operation": {"Audit": {"FindingsDestination": {}}},
            }
        ],
    }
    beside["data_protection"] = {"/aws/bedrock/modelinvocations": json.dumps(protection)}
