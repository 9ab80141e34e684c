"""Everything else that makes or serves a model: imports, copies, deployments, throughput, profiles."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from ..protocol import AwsError, Call, op
from ..values import now, short_id
from .state import base_model, kms_arn, need_free_name, tag_map

if TYPE_CHECKING:
    from ..bed import Bed


FOUNDATION_MODELS = [
    # modelId, provider, customizations, inference types
    ("amazon.titan-text-lite-v1", "Amazon", ["FINE_TUNING", "CONTINUED_PRE_TRAINING"], ["ON_DEMAND"]),
    ("amazon.titan-text-express-v1", "Amazon", ["FINE_TUNING", "CONTINUED_PRE_TRAINING"], ["ON_DEMAND"]),
    ("amazon.nova-micro-v1:0", "Amazon", ["FINE_TUNING", "DISTILLATION"], ["ON_DEMAND", "PROVISIONED"]),
    ("amazon.nova-lite-v1:0", "Amazon", ["FINE_TUNING", "DISTILLATION"], ["ON_DEMAND", "PROVISIONED"]),
    ("amazon.nova-pro-v1:0", "Amazon", ["FINE_TUNING", "DISTILLATION"], ["ON_DEMAND", "PROVISIONED"]),
    ("anthropic.claude-3-haiku-20240307-v1:0", "Anthropic", ["FINE_TUNING"], ["ON_DEMAND", "PROVISIONED"]),
    ("meta.llama3-1-8b-instruct-v1:0", "Meta", ["FINE_TUNING"], ["ON_DEMAND", "PROVISIONED"]),
    ("cohere.command-light-text-v14", "Cohere", ["FINE_TUNING"], ["ON_DEMAND", "PROVISIONED"]),
]


@op("bedrock", "CreateCustomModel")
def create_custom_model(bed: Bed, call: Call) -> dict[str, Any]:
    p, state = call.params, bed.bedrock(call)
    need_free_name(state, "model", p["modelName"])
    arn = call.arn(f"custom-model/imported/{short_id(bed.seed, call.account, call.region, 'cm', p['modelName'])}")
    state.put(
        "model",
        {
            "modelArn": arn,
            "modelName": p["modelName"],
            "modelKmsKeyArn": kms_arn(call, p.get("modelKmsKeyArn")),
            "creationTime": now(),
            "customizationType": "IMPORTED",
            "ownerAccountId": call.account,
            "modelStatus": "Active",
            "baseModelArn": "",
            "baseModelName": "",
        },
    )
    state.tags[arn] = tag_map(p.get("modelTags"))
    return {"modelArn": arn}


@op("bedrock", "CreateModelImportJob")
def create_import_job(bed: Bed, call: Call) -> dict[str, Any]:
    p, state, at = call.params, bed.bedrock(call), now()
    need_free_name(state, "import_job", p["jobName"])
    need_free_name(state, "imported_model", p["importedModelName"])
    job_arn = call.arn(f"model-import-job/{short_id(bed.seed, call.account, call.region, 'import', p['jobName'])}")
    model_arn = call.arn(
        f"imported-model/{short_id(bed.seed, call.account, call.region, 'imported', p['importedModelName'])}"
    )
    key = kms_arn(call, p.get("importedModelKmsKeyId"))
    state.put(
        "import_job",
        {
            "jobArn": job_arn,
            "jobName": p["jobName"],
            "importedModelName": p["importedModelName"],
            "importedModelArn": model_arn,
            "roleArn": p["roleArn"],
            "modelDataSource": p["modelDataSource"],
            "status": "Completed",
            "creationTime": at,
            "lastModifiedTime": at,
            "endTime": at,
            "vpcConfig": p.get("vpcConfig"),
            "importedModelKmsKeyArn": key,
        },
    )
    state.put(
        "imported_model",
        {
            "modelArn": model_arn,
            "modelName": p["importedModelName"],
            "jobName": p["jobName"],
            "jobArn": job_arn,
            "modelDataSource": p["modelDataSource"],
            "creationTime": at,
            "modelArchitecture": "LLAMA",
            "modelKmsKeyArn": key,
            "instructSupported": True,
            "customModelUnits": {"customModelUnitsPerModelCopy": 1, "customModelUnitsVersion": "1.0"},
        },
    )
    state.tags[job_arn], state.tags[model_arn] = tag_map(p.get("jobTags")), tag_map(p.get("importedModelTags"))
    return {"jobArn": job_arn}


@op("bedrock", "CreateProvisionedModelThroughput")
def create_provisioned(bed: Bed, call: Call) -> dict[str, Any]:
    p, state, at = call.params, bed.bedrock(call), now()
    need_free_name(state, "provisioned", p["provisionedModelName"])
    model = p["modelId"]
    try:
        found = state.find("model", model)
        model_arn, foundation = found["modelArn"], found["_foundation"]
    except AwsError:
        model_arn = foundation = base_model(call, model)[0]
    arn = call.arn(
        f"provisioned-model/{short_id(bed.seed, call.account, call.region, 'pt', p['provisionedModelName'])}"
    )
    months = {"OneMonth": 30, "SixMonths": 182}.get(p.get("commitmentDuration") or "")
    state.put(
        "provisioned",
        {
            "provisionedModelArn": arn,
            "provisionedModelName": p["provisionedModelName"],
            "modelUnits": p["modelUnits"],
            "desiredModelUnits": p["modelUnits"],
            "modelArn": model_arn,
            "desiredModelArn": model_arn,
            "foundationModelArn": foundation,
            "status": "InService",
            "creationTime": at,
            "lastModifiedTime": at,
            "commitmentDuration": p.get("commitmentDuration"),
            "commitmentExpirationTime": at + dt.timedelta(days=months) if months else None,
        },
    )
    state.tags[arn] = tag_map(p.get("tags"))
    return {"provisionedModelArn": arn}


@op("bedrock", "CreateCustomModelDeployment")
def create_deployment(bed: Bed, call: Call) -> dict[str, Any]:
    p, state, at = call.params, bed.bedrock(call), now()
    need_free_name(state, "deployment", p["modelDeploymentName"])
    model = state.find("model", p["modelArn"])
    arn = call.arn(
        f"custom-model-deployment/{short_id(bed.seed, call.account, call.region, 'dep', p['modelDeploymentName'])}"
    )
    state.put(
        "deployment",
        {
            "customModelDeploymentArn": arn,
            "modelDeploymentName": p["modelDeploymentName"],
            "customModelDeploymentName": p["modelDeploymentName"],
            "modelArn": model["modelArn"],
            "createdAt": at,
            "lastUpdatedAt": at,
            "status": "Active",
            "description": p.get("description"),
        },
    )
    state.tags[arn] = tag_map(p.get("tags"))
    return {"customModelDeploymentArn": arn}


@op("bedrock", "CreateModelCopyJob")
def create_copy_job(bed: Bed, call: Call) -> dict[str, Any]:
    p, state, at = call.params, bed.bedrock(call), now()
    source = p["sourceModelArn"]
    owner = source.split(":")[4]
    arn = call.arn(f"model-copy-job/{short_id(bed.seed, call.account, call.region, 'copy', p['targetModelName'])}")
    target = call.arn(f"custom-model/{source.split('/', 1)[-1].rsplit('/', 1)[0]}/{short_id(arn)}")
    state.put(
        "copy_job",
        {
            "jobArn": arn,
            "status": "Completed",
            "creationTime": at,
            "targetModelArn": target,
            "targetModelName": p["targetModelName"],
            "sourceAccountId": owner,
            "sourceModelArn": source,
            "targetModelKmsKeyArn": kms_arn(call, p.get("modelKmsKeyId")),
            "targetModelTags": p.get("targetModelTags") or [],
            "sourceModelName": None,
        },
    )
    copy_model(bed, call, source, target)
    return {"jobArn": arn}


def copy_model(bed: Bed, call: Call, source: str, target: str) -> None:
    """The copy itself, if the source model is one this bed knows."""
    original = bed.bedrock_state(source.split(":")[4], source.split(":")[3]).kinds["model"].get(source)
    if original is None:
        return
    copied = ("baseModelName", "_foundation", "customizationType")
    bed.bedrock(call).put(
        "model",
        {
            **{name: original.get(name) for name in copied},
            "baseModelArn": base_model(call, original["baseModelName"])[0],
            "modelArn": target,
            "modelName": call.params["targetModelName"],
            "modelKmsKeyArn": kms_arn(call, call.params.get("modelKmsKeyId")),
            "creationTime": now(),
            "ownerAccountId": call.account,
            "modelStatus": "Active",
        },
    )
    bed.bedrock(call).tags[target] = tag_map(call.params.get("targetModelTags"))


@op("bedrock", "CreateInferenceProfile")
def create_inference_profile(bed: Bed, call: Call) -> dict[str, Any]:
    p, state, at = call.params, bed.bedrock(call), now()
    ident = short_id(bed.seed, call.account, call.region, "ip", p["inferenceProfileName"])
    arn = call.arn(f"application-inference-profile/{ident}")
    state.put(
        "inference_profile",
        {
            "inferenceProfileArn": arn,
            "inferenceProfileId": ident,
            "inferenceProfileName": p["inferenceProfileName"],
            "description": p.get("description"),
            "models": [{"modelArn": p["modelSource"].get("copyFrom")}],
            "status": "ACTIVE",
            "type": "APPLICATION",
            "createdAt": at,
            "updatedAt": at,
        },
    )
    state.tags[arn] = tag_map(p.get("tags"))
    return {"inferenceProfileArn": arn, "status": "ACTIVE"}


@op("bedrock", "ListFoundationModels")
def list_foundation_models(bed: Bed, call: Call) -> dict[str, Any]:
    p = call.params
    return {
        "modelSummaries": [
            foundation_model(call, row)
            for row in FOUNDATION_MODELS
            if (not p.get("byProvider") or row[1] == p["byProvider"])
            and (not p.get("byCustomizationType") or p["byCustomizationType"] in row[2])
            and (not p.get("byInferenceType") or p["byInferenceType"] in row[3])
        ]
    }


def foundation_model(call: Call, row: tuple[str, str, list[str], list[str]]) -> dict[str, Any]:
    model, provider, customizations, inference = row
    return {
        "modelArn": base_model(call, model)[0],
        "modelId": model,
        "modelName": model.split(".", 1)[1],
        "providerName": provider,
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": customizations,
        "inferenceTypesSupported": inference,
        "modelLifecycle": {"status": "ACTIVE"},
    }


@op("bedrock", "GetFoundationModel")
def get_foundation_model(bed: Bed, call: Call) -> dict[str, Any]:
    name = base_model(call, call.params["modelIdentifier"])[1]
    for row in FOUNDATION_MODELS:
        if row[0] == name:
            return {"modelDetails": foundation_model(call, row)}
    raise AwsError("ResourceNotFoundException", f"Could not resolve the foundation model: {name}", 404)
