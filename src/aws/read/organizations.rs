//! AWS Organizations: the organization, the account's path in it, and the policies on that path.
//!
//! A member account may ask for the first and for its effective policies; the others are denied
//! unless the management account delegated them. An account in no organization has none of them.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::Session;
use crate::aws::small::page::page;
use crate::aws::small::{Failure, Service};
use crate::base::{ResourceId, Text};
use crate::inventory::organization::{Organization, OrganizationPolicy};
use crate::inventory::{Document, Read, ReadError};

/// Policy types that bound an account (AWS Organizations API Reference, ListPoliciesForTarget).
const KINDS: &[&str] = &["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"];
/// Units nest five deep below the root (AWS Organizations User Guide, quotas).
const DEPTH: usize = 8;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOrganization {
    organization: RawOrganization,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawOrganization {
    id: String,
    #[serde(default)]
    arn: String,
    #[serde(default)]
    master_account_id: String,
    #[serde(default)]
    feature_set: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parent {
    id: String,
    r#type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    aws_managed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribePolicy {
    policy: Content,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    content: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeEffectivePolicy {
    effective_policy: EffectiveContent,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EffectiveContent {
    policy_content: String,
}

page!(
    /// `ListParents`.
    Parents { "Parents": Parent }, "NextToken"
);
page!(
    /// `ListPoliciesForTarget`.
    Policies { "Policies": Summary }, "NextToken"
);

fn is_outside(error: &Failure) -> bool {
    has_code(error, &["AWSOrganizationsNotInUseException"])
}

fn has_code(error: &Failure, codes: &[&str]) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| codes.contains(&code))
}

/// `DescribeOrganization`; `None` when the account is in none.
pub async fn organization(session: &Session) -> Result<Option<Organization>, ReadError> {
    const OPERATION: &str = "DescribeOrganization";
    let client = session.small(Service::Organizations);
    match client.try_json::<DescribeOrganization>(OPERATION, json!({})).await {
        Ok(DescribeOrganization { organization: raw }) => Ok(Some(Organization {
            id: raw.id.into(),
            arn: raw.arn.into(),
            management_account: raw.master_account_id.into(),
            features: raw.feature_set.into(),
        })),
        Err(error) if is_outside(&error) => Ok(None),
        Err(error) => Err(client.failed(OPERATION, &error)),
    }
}

/// `ListParents`, step by step: the root first, the account last.
pub async fn path(session: &Session) -> Result<Vec<ResourceId>, ReadError> {
    const OPERATION: &str = "ListParents";
    let client = session.small(Service::Organizations);
    let mut path = vec![ResourceId::new(session.info().account.as_str())];
    for _ in 0..DEPTH {
        let child = path.last().map(ResourceId::as_str).unwrap_or_default();
        let parents = client.json_pages::<Parents>(OPERATION, json!({"ChildId": child})).await?;
        let Some(parent) = parents.into_iter().next() else {
            return Err(client.malformed(OPERATION, &format!("'{child}' has no parent")));
        };
        path.push(parent.id.into());
        if parent.r#type == "ROOT" {
            path.reverse();
            return Ok(path);
        }
    }
    Err(client.malformed(OPERATION, "the way to the root has no end"))
}

/// `ListPoliciesForTarget` of everything on the path.
pub async fn policies(session: &Session, path: &[ResourceId]) -> Result<Vec<OrganizationPolicy>, ReadError> {
    let client = session.small(Service::Organizations);
    let mut found: Vec<OrganizationPolicy> = Vec::new();
    for target in path {
        for kind in KINDS {
            let body: Value = json!({"TargetId": target.as_str(), "Filter": kind});
            for policy in client.json_pages::<Policies>("ListPoliciesForTarget", body).await? {
                let id = ResourceId::new(&policy.id);
                match found.iter_mut().find(|held| held.id == id) {
                    Some(held) => held.targets.push(target.clone()),
                    None => found.push(OrganizationPolicy {
                        id,
                        name: policy.name.into(),
                        kind: Text::new(*kind),
                        aws_managed: policy.aws_managed,
                        targets: vec![target.clone()],
                        document: Read::NotAsked,
                    }),
                }
            }
        }
    }
    Ok(found)
}

/// `DescribePolicy`.
pub async fn document(session: &Session, id: &ResourceId) -> Result<Document, ReadError> {
    let client = session.small(Service::Organizations);
    let answer: DescribePolicy = client.json("DescribePolicy", json!({"PolicyId": id.as_str()})).await?;
    Ok(Document::new(answer.policy.content))
}

/// `DescribeEffectivePolicy` of the type `BEDROCK_POLICY`; `None` where nothing of it reaches the account.
pub async fn bedrock_policy(session: &Session) -> Result<Option<Document>, ReadError> {
    const OPERATION: &str = "DescribeEffectivePolicy";
    const NONE: &[&str] = &["EffectivePolicyNotFoundException", "PolicyTypeNotEnabledException"];
    let client = session.small(Service::Organizations);
    match client.try_json::<DescribeEffectivePolicy>(OPERATION, json!({"PolicyType": "BEDROCK_POLICY"})).await {
        Ok(answer) => Ok(Some(Document::new(answer.effective_policy.policy_content))),
        Err(error) if is_outside(&error) || has_code(&error, NONE) => Ok(None),
        Err(error) => Err(client.failed(OPERATION, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, Server, session};
    use crate::inventory::ErrorKind;

    #[tokio::test]
    async fn a_member_account_and_what_bounds_it() {
        let server = Server::aws(|request| {
            let body = match () {
                () if request.has(".DescribeOrganization") => {
                    r#"{"Organization":{"Id":"o-1","Arn":"arn:o","MasterAccountId":"999988887777","FeatureSet":"ALL"}}"#
                }
                () if request.has(r#"{"ChildId":"123456789012"}"#) => {
                    r#"{"Parents":[{"Id":"ou-ml","Type":"ORGANIZATIONAL_UNIT"}]}"#
                }
                () if request.has(r#"{"ChildId":"ou-ml"}"#) => r#"{"Parents":[{"Id":"r-1","Type":"ROOT"}]}"#,
                () if request.has("RESOURCE_CONTROL") => r#"{"Policies":[]}"#,
                () if request.has(r#""TargetId":"ou-ml""#) => {
                    r#"{"Policies":[{"Id":"p-deny","Name":"no keys","AwsManaged":false},{"Id":"p-Full","AwsManaged":true}]}"#
                }
                () if request.has("ListPoliciesForTarget") => {
                    r#"{"Policies":[{"Id":"p-Full","Name":"FullAWSAccess","AwsManaged":true}]}"#
                }
                () if request.has(".DescribePolicy") => r#"{"Policy":{"Content":"{\"Statement\":[]}"}}"#,
                () if request.has("DescribeEffectivePolicy") => {
                    return Some(Answer::json(400, r#"{"__type":"EffectivePolicyNotFoundException"}"#));
                }
                () => return None,
            };
            Some(Answer::json(200, body))
        })
        .await;
        let session = session(&server).await;
        let found = organization(&session).await.unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.management_account.as_str()), ("o-1", "999988887777"));
        let path = path(&session).await.unwrap();
        assert_eq!(path, ["r-1", "ou-ml", "123456789012"]);
        let policies = policies(&session, &path).await.unwrap();
        let targets: Vec<_> = policies.iter().map(|policy| (policy.id.as_str(), policy.targets.len())).collect();
        assert_eq!(targets, [("p-Full", 3), ("p-deny", 1)]);
        assert_eq!(document(&session, &"p-deny".into()).await.unwrap().raw(), r#"{"Statement":[]}"#);
        assert_eq!(bedrock_policy(&session).await, Ok(None));
    }

    #[tokio::test]
    async fn no_organization_is_no_failure_and_a_denial_is_one() {
        let outside = r#"{"__type":"AWSOrganizationsNotInUseException","Message":"not a member"}"#;
        let server = Server::aws(move |_| Some(Answer::json(400, outside))).await;
        let alone = session(&server).await;
        assert_eq!(organization(&alone).await, Ok(None));
        assert_eq!(bedrock_policy(&alone).await, Ok(None));
        let denied = r#"{"__type":"AccessDeniedException","Message":"You don't have permissions"}"#;
        let server = Server::aws(move |_| Some(Answer::json(400, denied))).await;
        let error = path(&session(&server).await).await.unwrap_err();
        assert_eq!((error.kind, error.operation.as_str()), (ErrorKind::Denied, "organizations:ListParents"));
    }
}
