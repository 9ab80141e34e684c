//! What an identity may do with custom models, and which buckets it reaches: questions that several
//! controls ask the evaluator in the same way. All of them ask what is too much, so policies of the organization that
//! nobody could see take nothing away (see `permissions::decide`).

use std::collections::BTreeSet;

use crate::access::{Decision, Guards, Identity, Request, Resource, Scenario, identity_decides};
use crate::base::{Arn, Text};
use crate::posture::control::Context;

/// Actions that make, copy, share, serve or delete models, or change what guards them; with the resource that
/// Bedrock authorises them on: an ARN that begins so, or none where only `*` does (Service Authorization Reference).
pub(in crate::posture) const CONTROL_PLANE: &[(&str, &str)] = &[
    ("bedrock:CreateModelCustomizationJob", "model-customization-job/"),
    ("bedrock:CreateModelImportJob", ""),
    ("bedrock:CreateCustomModel", "custom-model/"),
    ("bedrock:CreateModelCopyJob", "custom-model/"),
    ("bedrock:CreateCustomModelDeployment", "custom-model-deployment/"),
    ("bedrock:CreateProvisionedModelThroughput", "custom-model/"),
    ("bedrock:PutResourcePolicy", "custom-model/"),
    ("bedrock:DeleteCustomModel", "custom-model/"),
    ("bedrock:DeleteImportedModel", "imported-model/"),
    ("bedrock:PutModelInvocationLoggingConfiguration", ""),
    ("bedrock:DeleteModelInvocationLoggingConfiguration", ""),
    ("bedrock:PutEnforcedGuardrailConfiguration", ""),
    ("bedrock:DeleteEnforcedGuardrailConfiguration", ""),
    ("bedrock:UpdateGuardrail", "guardrail/"),
];

/// The same actions by name alone.
pub(in crate::posture) const ADMINISTERS: [&str; CONTROL_PLANE.len()] = {
    let mut names = [""; CONTROL_PLANE.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = CONTROL_PLANE[at].0;
        at += 1;
    }
    names
};

/// What custom models are invoked through.
pub(in crate::posture) const INVOCATION: &[(&str, &str)] = &[
    ("bedrock:InvokeModel", "custom-model-deployment/"),
    ("bedrock:InvokeModel", "provisioned-model/"),
    ("bedrock:InvokeModel", "imported-model/"),
    ("bedrock:InvokeModelWithResponseStream", "custom-model-deployment/"),
    ("bedrock:InvokeModelWithResponseStream", "provisioned-model/"),
    ("bedrock:InvokeModelWithResponseStream", "imported-model/"),
];

/// The actions of a list that an identity may do on some resource, and why others are not certain.
#[derive(Debug, Default)]
pub(in crate::posture) struct Held {
    /// Allowed, always or under conditions; each once.
    pub actions: Vec<&'static str>,
    /// Why one is not certain.
    pub unsure: Option<Text>,
}

/// Which of these actions an identity may do here.
pub(in crate::posture) fn held(
    context: &Context<'_>,
    identity: &Identity,
    actions: &[(&'static str, &'static str)],
    scenario: &Scenario,
) -> Held {
    let mut held = Held::default();
    for (action, on) in actions {
        match on_some(context, identity, action, on, scenario) {
            Decision::Allowed { .. } | Decision::Conditional { .. } if !held.actions.contains(action) => {
                held.actions.push(*action);
            }
            uncertain @ Decision::Uncertain { .. } if held.unsure.is_none() => {
                held.unsure = Some(Text::new(format!("{action}: {}", uncertain.words())));
            }
            _ => {}
        }
    }
    held
}

/// Whether an identity may do an action of Bedrock on some resource whose ARN begins so.
pub(in crate::posture) fn on_some(
    context: &Context<'_>,
    identity: &Identity,
    action: &str,
    begins: &str,
    scenario: &Scenario,
) -> Decision {
    let arn = Arn {
        partition: context.partition.to_owned(),
        service: "bedrock".to_owned(),
        region: context.region.to_owned(),
        account: context.account.to_owned(),
        // why a name of its own: an action without resources is allowed by a wildcard alone.
        resource: if begins.is_empty() { "any/any".to_owned() } else { begins.to_owned() },
    };
    let resource = Resource { open: !begins.is_empty(), ..Resource::plain(arn) };
    Request { identity, action, resource: &resource, scenario, guards: &Guards::default() }
        .answer()
        .into_what_was_read()
}

/// Buckets beyond its own that an identity reaches, as its policies name them.
#[derive(Debug, Default)]
pub(in crate::posture) struct Buckets {
    /// Names or patterns.
    pub others: BTreeSet<Text>,
    /// Why one is not certain.
    pub unsure: Option<Text>,
}

/// Which buckets, other than `own`, an identity's policies open for one of these actions. What a boundary or a
/// Deny closes again is left out: each is asked of the evaluator.
pub(in crate::posture) fn other_buckets(
    context: &Context<'_>,
    identity: &Identity,
    own: &BTreeSet<&str>,
    actions: &[&str],
    scenario: &Scenario,
) -> Buckets {
    let mut found = Buckets::default();
    let mut asked: BTreeSet<(String, &str)> = BTreeSet::new();
    for statement in identity.policies.iter().flat_map(|(_, policy)| &policy.statements) {
        let (true, Some(covers), Some(resources)) = (statement.allows(), &statement.actions, &statement.resources)
        else {
            continue;
        };
        for action in actions.iter().filter(|action| covers.cover(action)) {
            let named: Vec<&str> = if resources.negated {
                vec!["*"]
            } else {
                resources.patterns.iter().filter_map(|pattern| bucket_of(pattern)).collect()
            };
            for pattern in named.into_iter().filter(|pattern| !own.contains(pattern)) {
                if !asked.insert((pattern.to_owned(), *action)) {
                    continue;
                }
                let arn = example(context.partition, pattern, action);
                match identity_decides(identity, action, &arn, scenario).into_what_was_read() {
                    Decision::Allowed { .. } | Decision::Conditional { .. } => {
                        found.others.insert(Text::new(if pattern == "*" { "any bucket" } else { pattern }));
                    }
                    uncertain @ Decision::Uncertain { .. } if found.unsure.is_none() => {
                        found.unsure = Some(Text::new(format!("{action} on {pattern}: {}", uncertain.words())));
                    }
                    _ => {}
                }
            }
        }
    }
    found
}

/// The bucket of a pattern of `Resource`, with its wildcards; none when it is of another service.
fn bucket_of(pattern: &str) -> Option<&str> {
    if pattern == "*" {
        return Some("*");
    }
    let mut parts = pattern.splitn(6, ':').skip(2);
    let (service, _region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let s3 = crate::access::pattern::matches(service, "s3");
    s3.then(|| resource.split('/').next().unwrap_or_default())
}

/// A bucket or object that a pattern covers and that no lineage knows.
fn example(partition: &str, pattern: &str, action: &str) -> Arn {
    let bucket = pattern.replace('*', "another").replace('?', "a");
    let object = if crate::access::actions::is_on_objects(action) { "/another" } else { "" };
    Arn {
        partition: partition.to_owned(),
        service: "s3".to_owned(),
        region: String::new(),
        account: String::new(),
        resource: format!("{bucket}{object}"),
    }
}
