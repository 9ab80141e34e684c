//! IAM, CloudTrail, CloudWatch Logs, EventBridge.

use serde_json::{Value, json};

use super::{Record, maybe_time, pairs, policy, time};
use crate::base::{ResourceId, Text};
use crate::inventory::iam::InlinePolicy;
use crate::inventory::logs::MetricFilter;
use crate::inventory::{Inventory, Kind, ResourceRef};

/// Writes what is of these services. Returns whether it was.
pub(super) fn write(inventory: &Inventory, of: &ResourceRef, record: &mut Record) -> bool {
    let id = &of.id;
    match of.kind {
        Kind::Role => inventory.roles.get(id).map(|role| {
            record.call(
                "RoleDetail",
                json!({
                    "RoleName": role.name,
                    "RoleId": role.role_id,
                    "Arn": role.arn,
                    "CreateDate": time(role.created),
                    "AssumeRolePolicyDocument": policy(&role.trust),
                    "RolePolicyList": inline(&role.inline),
                    "AttachedManagedPolicies": attached(&role.attached),
                    "PermissionsBoundary": boundary(role.boundary.as_ref()),
                    "RoleLastUsed": { "LastUsedDate": maybe_time(role.last_used) },
                    "Tags": pairs(&role.tags, "Key", "Value"),
                }),
            );
        }),
        Kind::User => inventory.users.get(id).map(|user| {
            record.call(
                "UserDetail",
                json!({
                    "UserName": user.name,
                    "UserId": user.user_id,
                    "Arn": user.arn,
                    "CreateDate": time(user.created),
                    "GroupList": user.groups,
                    "UserPolicyList": inline(&user.inline),
                    "AttachedManagedPolicies": attached(&user.attached),
                    "PermissionsBoundary": boundary(user.boundary.as_ref()),
                    "Tags": pairs(&user.tags, "Key", "Value"),
                }),
            );
        }),
        Kind::Group => inventory.groups.get(id).map(|group| {
            record.call(
                "GroupDetail",
                json!({
                    "GroupName": group.name,
                    "Arn": group.arn,
                    "GroupPolicyList": inline(&group.inline),
                    "AttachedManagedPolicies": attached(&group.attached),
                }),
            );
        }),
        Kind::Policy => inventory.policies.get(id).map(|held| {
            record.call(
                "ManagedPolicyDetail",
                json!({
                    "PolicyName": held.name,
                    "Arn": held.arn,
                    "DefaultVersionId": held.version,
                    "PolicyVersionList": [
                        { "VersionId": held.version, "IsDefaultVersion": true, "Document": policy(&held.document) },
                    ],
                }),
            );
        }),
        Kind::Trail => inventory.trails.get(id).map(|trail| {
            record.call(
                "DescribeTrails",
                json!({
                    "Name": trail.name,
                    "TrailARN": trail.arn,
                    "HomeRegion": trail.home_region,
                    "S3BucketName": trail.bucket,
                    "KmsKeyId": trail.kms_key,
                    "CloudWatchLogsLogGroupArn": trail.log_group,
                    "IsMultiRegionTrail": trail.multi_region,
                    "IsOrganizationTrail": trail.organization,
                    "LogFileValidationEnabled": trail.validation,
                }),
            );
            record.read("GetTrailStatus", &trail.status, |status| {
                json!({
                    "IsLogging": status.logging,
                    "LatestDeliveryTime": maybe_time(status.delivered),
                    "LatestDeliveryError": status.error,
                })
            });
            record.read("GetEventSelectors", &trail.selectors, |selectors| {
                let all: Vec<Value> =
                    selectors.iter().map(|held| json!({ "Name": held.name, "FieldSelectors": held.fields })).collect();
                json!({ "AdvancedEventSelectors": all, "bedwatch": "each field selector is a sentence here" })
            });
        }),
        Kind::EventDataStore => inventory.event_data_stores.get(id).map(|held| {
            record.call("ListEventDataStores", json!({ "EventDataStoreArn": held.arn, "Name": held.name }));
        }),
        Kind::LogGroup => inventory.log_groups.get(id).map(|group| {
            record.call(
                "DescribeLogGroups",
                json!({
                    "logGroupName": group.name,
                    "arn": group.arn,
                    "retentionInDays": group.retention_days,
                    "kmsKeyId": group.kms_key,
                    "storedBytes": group.bytes,
                    "creationTime": time(group.created),
                }),
            );
            record.read("DescribeMetricFilters", &group.filters, |filters| {
                let metrics =
                    |(namespace, name): &(Text, Text)| json!({ "metricNamespace": namespace, "metricName": name });
                let one = |filter: &MetricFilter| {
                    json!({
                        "filterName": filter.name,
                        "filterPattern": filter.pattern,
                        "metricTransformations": filter.metrics.iter().map(metrics).collect::<Vec<_>>(),
                    })
                };
                let all: Vec<Value> = filters.iter().map(one).collect();
                json!({ "metricFilters": all })
            });
        }),
        Kind::Rule => inventory.rules.get(id).map(|rule| {
            record.call(
                "ListRules",
                json!({
                    "Name": rule.name,
                    "Arn": rule.arn,
                    "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
                    "EventPattern": rule.pattern.as_ref().map(policy),
                }),
            );
            record.read("ListTargetsByRule", &rule.targets, |targets| {
                let all: Vec<Value> = targets
                    .iter()
                    .map(|target| {
                        let dead = target.dead_letter.as_ref().map(|arn| json!({ "Arn": arn }));
                        json!({ "Id": target.id, "Arn": target.arn, "DeadLetterConfig": dead })
                    })
                    .collect();
                json!({ "Targets": all })
            });
        }),
        _ => None,
    }
    .is_some()
}

fn inline(policies: &[InlinePolicy]) -> Value {
    policies.iter().map(|held| json!({ "PolicyName": held.name, "PolicyDocument": policy(&held.document) })).collect()
}

fn attached(policies: &[ResourceId]) -> Value {
    policies.iter().map(|arn| json!({ "PolicyName": super::super::names::short(arn), "PolicyArn": arn })).collect()
}

fn boundary(arn: Option<&ResourceId>) -> Value {
    arn.map_or(
        Value::Null,
        |arn| json!({ "PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn }),
    )
}
