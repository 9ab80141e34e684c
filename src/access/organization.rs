//! Whom the policies of an organization do not bind (E2, E3). Organizations User Guide, "Service control
//! policies" and "Resource control policies (RCPs)".

use super::principal::Caller;

/// The services whose actions resource control policies reach, as IAM names them ("List of AWS services that
/// support RCPs", as of 2026-09-26). Bedrock and IAM are not among them.
const RCP_SERVICES: &[&str] = &[
    "aoss",
    "appconfig",
    "appstream",
    "autoscaling",
    "autoscaling-plans",
    "budgets",
    "clouddirectory",
    "cloudfront",
    "cloudsearch",
    "cloudtrail-data",
    "codeartifact",
    "codebuild",
    "codecommit",
    "codepipeline",
    "cognito-identity",
    "cognito-idp",
    "comprehend",
    "comprehendmedical",
    "compute-optimizer",
    "cost-optimization-hub",
    "dax",
    "dsql",
    "dynamodb",
    "ecr",
    "ecr-public",
    "events",
    "firehose",
    "fis",
    "fms",
    "gamelift",
    "health",
    "inspector-scan",
    "kendra",
    "kinesisvideo",
    "kms",
    "logs",
    "memorydb",
    "networkmonitor",
    "notifications",
    "opensearch",
    "pca-connector-ad",
    "personalize",
    "polly",
    "pricing",
    "resource-groups",
    "rolesanywhere",
    "s3",
    "secretsmanager",
    "servicediscovery",
    "signin",
    "sqs",
    "sts",
    "support",
    "swf",
    "textract",
    "timestream-influxdb",
    "transcribe",
    "transfer",
    "translate",
    "wafv2",
    "workspaces",
    "xray",
];

/// Whether a role is a service's own: neither kind of policy binds it.
pub(super) fn is_service_linked(caller: &Caller) -> bool {
    caller.arn().is_some_and(|arn| arn.resource.starts_with("role/aws-service-role/"))
}

/// Whether service control policies bind a caller: root users too, services not (E9).
pub(super) fn scps_bind(caller: &Caller) -> bool {
    !matches!(caller, Caller::Service(_)) && !is_service_linked(caller)
}

/// Whether resource control policies bind a call. `managed`: on a key that AWS manages.
pub(super) fn rcps_bind(caller: &Caller, action: &str, managed: bool) -> bool {
    let service = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    RCP_SERVICES.contains(&service.as_str())
        && !is_service_linked(caller)
        && !managed
        && !action.eq_ignore_ascii_case("kms:RetireGrant")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::Policy;
    use crate::access::request::{Level, Request, Resource};
    use crate::access::{Bounds, Facts, Guards, Identity, Layer, Rules, Scenario};
    use crate::inventory::Document;
    use crate::inventory::kms::Grant;
    use std::collections::BTreeMap;

    fn policy(statement: &str) -> Policy {
        Policy::parse(&Document::new(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#))).unwrap()
    }

    #[test]
    fn whom_the_organization_binds() {
        const HOME: &str = "111122223333";
        let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
        let deny_all = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
        let open = r#"{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}"#;
        let level = |statement: &str| {
            let policies = vec![(Layer::Scp("r-1".into()), policy(statement))];
            Some(vec![Level { name: "r-1".into(), policies, unread: false }])
        };
        let scps = || Guards { scps: level(deny), ..Guards::none() };
        let rcps = || Guards { rcps: level(deny_all), ..Guards::none() };
        let role = "arn:aws:iam::111122223333:role/Tuner";
        let linked = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
        let key = "arn:aws:kms:us-east-1:111122223333:key/k";
        let model = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/p";
        for (what, guards, caller, action, on, managed, allowed) in [
            ("scp", scps(), role, "kms:Decrypt", key, false, false),
            ("scp, root user", scps(), "arn:aws:iam::111122223333:root", "kms:Decrypt", key, false, false),
            ("scp, service-linked", scps(), linked, "kms:Decrypt", key, false, true),
            ("scp, service", scps(), "bedrock.amazonaws.com", "kms:Decrypt", key, false, true),
            ("rcp", rcps(), role, "kms:Decrypt", key, false, false),
            ("rcp, root user", rcps(), "arn:aws:iam::111122223333:root", "kms:Decrypt", key, false, false),
            ("rcp, service", rcps(), "bedrock.amazonaws.com", "kms:Decrypt", key, false, false),
            ("rcp, service-linked", rcps(), linked, "kms:Decrypt", key, false, true),
            ("rcp, AWS managed key", rcps(), role, "kms:Decrypt", key, true, true),
            ("rcp, RetireGrant", rcps(), role, "kms:RetireGrant", key, false, true),
            ("rcp, Bedrock", rcps(), role, "bedrock:InvokeModel", model, false, true),
            (
                "rcp, an Allow of its own limits nothing",
                Guards { rcps: level(open), ..Guards::none() },
                role,
                "kms:Decrypt",
                key,
                false,
                true,
            ),
        ] {
            let caller = Caller::parse(caller).unwrap();
            let mut identity = Identity {
                caller: caller.clone(),
                policies: vec![(Layer::Identity("all".into()), std::sync::Arc::new(policy(all)))],
                boundary: None,
                facts: Facts::none(),
                gaps: Vec::new(),
                bounds: std::sync::Arc::default(),
            };
            if matches!(caller, Caller::Service(_)) {
                identity.policies.clear();
            }
            let rules = if on == key { Rules::Known(policy(open)) } else { Rules::None };
            let grant = Grant {
                id: "g".into(),
                name: None,
                grantee: "s3.amazonaws.com".into(),
                retiring: Some(role.into()),
                issuer: None,
                operations: Vec::new(),
                context_equals: BTreeMap::new(),
                context_subset: BTreeMap::new(),
                source_arn: None,
                created: None,
            };
            let resource = Resource { rules, managed, grants: Ok(vec![grant]), ..Resource::plain(on.parse().unwrap()) };
            let scenario = Scenario::open();
            let ask = |identity: &Identity, guards: &Guards| {
                let request = Request { identity, action, resource: &resource, scenario: &scenario, guards };
                request.answer().decision.is_allowed()
            };
            assert_eq!(ask(&identity, &guards), allowed, "{what}");
            // The same as it was read: and the management account is spared, its principals by one kind, its
            // resources by the other.
            let read = Guards { scps: None, rcps: None, ..guards.clone() };
            let held = || [guards.scps.clone().unwrap_or_default(), guards.rcps.clone().unwrap_or_default()];
            for (home, management, allowed) in
                [(HOME, "999988887777", allowed), (HOME, HOME, true), ("444455556666", HOME, true)]
            {
                // A service has no account: what it is spared, the resource's is.
                let mut identity = identity.clone();
                identity.bounds = std::sync::Arc::new(Bounds::made(home, management, held(), [None, None]));
                assert_eq!(ask(&identity, &read), allowed, "{what}: {home} under {management}");
            }
        }
    }
}
