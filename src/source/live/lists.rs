//! Sources that are lists, or one answer for the whole account and region.
//!
//! A list that fails changes nothing: what is known stays, and the report says that it failed.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use super::beside::{self, Wanted};
use super::known::Known;
use super::reader::{Heard, Reader, TRIES};
use crate::aws::read::{bedrock_jobs, bedrock_models, cloudtrail, events, guardrails, iam, kms, logs, s3};
use crate::base::{ResourceId, Text};
use crate::inventory::iam::{Group, InlinePolicy, LastUse, ManagedPolicy, Role, User};
use crate::inventory::{Document, ErrorKind, Inventory, Items, Read, ReadError, SourceId, SourceReport, Update};

type S = SourceId;

/// The longest that a list may take, all its pages together.
pub(super) const LIST: Duration = Duration::from_mins(5);

/// What a list needs to know before it is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    base_models: BTreeSet<ResourceId>,
    subnets: Vec<ResourceId>,
    security_groups: Vec<ResourceId>,
    vpcs: Vec<ResourceId>,
    beside: Wanted,
}

impl Reach {
    pub(super) fn of(source: S, inventory: &Inventory, known: &Known, partition: &str) -> Self {
        let mut vpcs: Vec<_> = inventory.subnets.values().map(|subnet| subnet.vpc.clone()).collect();
        vpcs.sort();
        vpcs.dedup();
        let mut groups = known.security_groups.clone();
        groups.extend(inventory.endpoints.values().flat_map(|endpoint| endpoint.security_groups.iter().cloned()));
        Self {
            base_models: known.base_models.clone(),
            subnets: known.subnets.iter().cloned().collect(),
            security_groups: groups.into_iter().collect(),
            vpcs,
            beside: Wanted::of(source, inventory, known, partition),
        }
    }
}

/// Reads a list to its end and reports. One that was throttled is read again: the gate has paused the service
/// by then, and a round has no second one to mend it in.
pub(super) async fn read(source: S, reader: Reader, known: Known, reach: Reach) -> SourceReport {
    let mut tries = 1;
    loop {
        let report = once(source, &reader, &known, &reach).await;
        if tries == TRIES || report.error.as_ref().is_none_or(|error| error.kind != ErrorKind::Throttled) {
            return report;
        }
        tries += 1;
    }
}

async fn once(source: S, reader: &Reader, known: &Known, reach: &Reach) -> SourceReport {
    let session = &reader.session;
    match source {
        S::CALLER => caller(reader).await,
        S::ACCOUNT_ALIAS => {
            let alias = reader.gate.call(source, LIST, iam::account_alias(session)).await;
            reader.report(source, alias.map(|_| 1))
        }
        S::JOBS => list(reader, source, Items::Job, bedrock_jobs::customization_jobs(session)).await,
        S::MODELS => models(reader).await,
        S::IMPORTED_MODELS => {
            list(reader, source, Items::ImportedModel, bedrock_models::imported_models(session)).await
        }
        S::IMPORT_JOBS => list(reader, source, Items::ImportJob, bedrock_jobs::import_jobs(session)).await,
        S::COPY_JOBS => list(reader, source, Items::CopyJob, bedrock_jobs::copy_jobs(session)).await,
        S::EVALUATION_JOBS => list(reader, source, Items::EvaluationJob, bedrock_jobs::evaluation_jobs(session)).await,
        S::BATCH_JOBS => list(reader, source, Items::BatchJob, bedrock_jobs::batch_jobs(session, &known.keys)).await,
        S::DEPLOYMENTS => list(reader, source, Items::Deployment, bedrock_models::deployments(session)).await,
        S::THROUGHPUTS => list(reader, source, Items::Throughput, bedrock_models::throughputs(session)).await,
        S::GUARDRAILS => guardrails(reader).await,
        S::ENFORCED_GUARDRAILS => {
            list(reader, source, Items::EnforcedGuardrail, guardrails::enforced_guardrails(session)).await
        }
        S::LOGGING => {
            let answer = reader.gate.call(source, LIST, bedrock_models::logging(session)).await;
            reader.tell(Heard::Update(Update::Logging(Read::of(answer.clone(), reader.now())))).await;
            reader.report(source, answer.map(|_| 1))
        }
        S::FOUNDATION_MODELS => {
            let customizable = async {
                let mut models = bedrock_models::foundation_models(session).await?;
                models.retain(|model| !model.customizations.is_empty() || reach.base_models.contains(&model.arn));
                Ok(models)
            };
            list(reader, source, Items::FoundationModel, customizable).await
        }
        S::ALIASES => {
            let aliases = reader.gate.call(source, LIST, kms::aliases(session)).await;
            let report = reader.report(source, aliases.as_ref().map(Vec::len).map_err(Clone::clone));
            if let Ok(aliases) = aliases {
                reader.tell(Heard::Aliases(aliases)).await;
            }
            report
        }
        S::AUTHORIZATION => authorization(reader).await,
        S::SUBNETS => list(reader, source, Items::Subnet, session.ec2().subnets(&reach.subnets)).await,
        S::VPCS => list(reader, source, Items::Vpc, session.ec2().vpcs(&reach.vpcs)).await,
        S::ROUTE_TABLES => list(reader, source, Items::RouteTable, session.ec2().route_tables(&reach.vpcs)).await,
        S::ENDPOINTS => list(reader, source, Items::Endpoint, session.ec2().endpoints(&reach.vpcs)).await,
        S::SECURITY_GROUPS => {
            let groups = session.ec2().security_groups(&reach.security_groups);
            list(reader, source, Items::SecurityGroup, groups).await
        }
        S::BUCKETS => {
            let buckets = reader.gate.call(source, LIST, s3::buckets(session)).await;
            let report = reader.report(source, buckets.as_ref().map(Vec::len).map_err(Clone::clone));
            reader.tell(Heard::Buckets(buckets)).await;
            report
        }
        S::TRAILS => list(reader, source, Items::Trail, cloudtrail::trails(session)).await,
        S::EVENT_DATA_STORES => {
            list(reader, source, Items::EventDataStore, cloudtrail::event_data_stores(session)).await
        }
        S::LOG_GROUPS => list(reader, source, Items::LogGroup, logs::log_groups(session)).await,
        S::RULES => list(reader, source, Items::Rule, events::rules(session)).await,
        other => Box::pin(beside::read(other, reader, reach.beside.clone())).await,
    }
}

pub(super) fn list<'a, T: Send + 'a>(
    reader: &'a Reader,
    source: S,
    items: fn(Vec<T>) -> Items,
    read: impl Future<Output = Result<Vec<T>, ReadError>> + Send + 'a,
) -> impl Future<Output = SourceReport> + Send + 'a {
    // why boxed: a paged SDK call is tens of kilobytes.
    let read = Box::pin(read);
    async move {
        match reader.gate.call(source, LIST, read).await {
            Ok(found) => {
                let count = found.len();
                reader.tell(Heard::Update(Update::Listed(items(found)))).await;
                reader.report(source, Ok(count))
            }
            Err(error) => reader.report(source, Err(error)),
        }
    }
}

/// Two lists, owned and received. One that fails leaves the other's models to be added.
async fn models(reader: &Reader) -> SourceReport {
    let list = |owned| reader.gate.call(S::MODELS, LIST, bedrock_models::custom_models(&reader.session, owned));
    let (owned, received) = tokio::join!(list(true), list(false));
    let failures: Vec<ReadError> = [&owned, &received].into_iter().filter_map(|list| list.clone().err()).collect();
    let mut found: Vec<_> = owned.unwrap_or_default();
    let ours: BTreeSet<_> = found.iter().map(|model| model.arn.clone()).collect();
    // why: an endpoint that does not know `isOwned` would answer with the same models twice.
    found.extend(received.unwrap_or_default().into_iter().filter(|model| !ours.contains(&model.arn)));
    let count = found.len();
    let update = if failures.is_empty() { Update::Listed } else { Update::Read };
    if failures.is_empty() || count > 0 {
        reader.tell(Heard::Update(update(Items::Model(found)))).await;
    }
    let worked = if failures.is_empty() { count } else { 2 - failures.len() };
    SourceReport::sum(S::MODELS, reader.now(), worked, &failures)
}

/// The drafts, and the numbered versions of each. A guardrail whose versions cannot be listed keeps those it had.
async fn guardrails(reader: &Reader) -> SourceReport {
    let source = S::GUARDRAILS;
    let drafts = match reader.gate.call(source, LIST, Box::pin(guardrails::guardrails(&reader.session))).await {
        Ok(drafts) => drafts,
        Err(error) => return reader.report(source, Err(error)),
    };
    let arns: Vec<_> = drafts.iter().map(|guardrail| guardrail.arn.clone()).collect();
    let mut worked = drafts.len();
    reader.tell(Heard::Update(Update::Listed(Items::Guardrail(drafts)))).await;
    let versions = |arn| {
        reader.gate.call(
            source,
            LIST,
            Box::pin(async move { guardrails::guardrail_versions(&reader.session, arn).await }),
        )
    };
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for answer in futures::future::join_all(arns.iter().map(versions)).await {
        match answer {
            Ok(versions) => found.extend(versions),
            Err(error) => failures.push(error),
        }
    }
    worked += found.len();
    let update = if failures.is_empty() { Update::Listed } else { Update::Read };
    reader.tell(Heard::Update(update(Items::GuardrailVersion(found)))).await;
    SourceReport::sum(source, reader.now(), worked, &failures)
}

async fn authorization(reader: &Reader) -> SourceReport {
    match reader.gate.call(S::AUTHORIZATION, LIST, iam::authorization(&reader.session)).await {
        Ok(iam::Authorization { roles, users, groups, policies }) => {
            let count = roles.len() + users.len() + groups.len() + policies.len();
            let last_uses = users_of_bedrock(&roles, &users, &groups, &policies);
            for items in [
                Items::Role(roles),
                Items::User(users),
                Items::Group(groups),
                Items::Policy(policies),
                Items::LastUse(last_uses),
            ] {
                reader.tell(Heard::Update(Update::Listed(items))).await;
            }
            reader.report(S::AUTHORIZATION, Ok(count))
        }
        Err(error) => reader.report(S::AUTHORIZATION, Err(error)),
    }
}

/// Roles and users with a policy that names Bedrock, or everything: those whose last use of it says
/// something. Those not used for longest come last.
fn users_of_bedrock(roles: &[Role], users: &[User], groups: &[Group], policies: &[ManagedPolicy]) -> Vec<LastUse> {
    // why by the text: it is asked before access is worked out, and one too many costs two calls.
    let names = |document: &Document| {
        let text = document.raw();
        text.contains("bedrock") || text.contains("\"*\"")
    };
    let managed: BTreeSet<&ResourceId> =
        policies.iter().filter(|policy| names(&policy.document)).map(|policy| &policy.arn).collect();
    let holds = |inline: &[InlinePolicy], attached: &[ResourceId]| {
        inline.iter().any(|policy| names(&policy.document)) || attached.iter().any(|arn| managed.contains(arn))
    };
    let of_groups: BTreeSet<&Text> =
        groups.iter().filter(|group| holds(&group.inline, &group.attached)).map(|group| &group.name).collect();
    let named = users.iter().filter(|user| {
        holds(&user.inline, &user.attached) || user.groups.iter().any(|group| of_groups.contains(group))
    });
    // A service's own role cannot be asked about, nor changed.
    let own = |role: &&Role| !role.arn.as_str().contains(":role/aws-service-role/");
    let mut able: Vec<_> = roles.iter().filter(own).filter(|role| holds(&role.inline, &role.attached)).collect();
    able.sort_by_key(|role| std::cmp::Reverse(role.last_used));
    let arns = named.map(|user| &user.arn).chain(able.into_iter().map(|role| &role.arn)).take(LastUse::MOST);
    arns.map(|arn| LastUse { principal: arn.clone(), report: Read::NotAsked, detail: Read::NotAsked }).collect()
}

/// Whether we are still who the header says.
async fn caller(reader: &Reader) -> SourceReport {
    let asked = reader.gate.call(S::CALLER, Duration::from_mins(1), reader.session.verify()).await;
    let checked = asked.and_then(|now| {
        let was = &reader.session.info().principal;
        if same_principal(was, &now) {
            return Ok(1);
        }
        Err(ReadError {
            operation: S::CALLER.name().to_owned(),
            kind: ErrorKind::Expired,
            message: format!("the credentials now belong to {now} and no longer to {was}").into(),
            at: reader.now(),
        })
    });
    if let Err(error) = &checked
        && error.kind == ErrorKind::Expired
    {
        reader.tell(Heard::Lost(error.clone())).await;
    }
    reader.report(S::CALLER, checked)
}

/// The same account and the same user or role; a renewed role session may be called otherwise.
pub(super) fn same_principal(a: &ResourceId, b: &ResourceId) -> bool {
    fn who(id: &ResourceId) -> Option<(String, String)> {
        let arn = id.arn()?;
        let name = arn.assumed_role().map_or_else(|| arn.resource.clone(), |(role, _)| role.to_owned());
        Some((arn.account.clone(), name))
    }
    a == b || (who(a).is_some() && who(a) == who(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn last_use_is_asked_of_those_who_may_use_bedrock() {
        let inline = |text: &str| vec![InlinePolicy { name: "p".into(), document: Document::new(text) }];
        let role = |name: &str, text: &str, attached: &[&str]| Role {
            arn: format!("arn:aws:iam::1:role/{name}").into(),
            name: name.into(),
            role_id: "".into(),
            trust: Document::new("{}"),
            inline: inline(text),
            attached: attached.iter().map(ResourceId::new).collect(),
            boundary: None,
            created: Timestamp::from_secs(1),
            last_used: None,
            tags: crate::inventory::Tags::new(),
        };
        let invoke = r#"{"Action":"bedrock:InvokeModel"}"#;
        let roles = [
            role("App", invoke, &[]),
            role("Other", r#"{"Action":"s3:GetObject"}"#, &[]),
            role("Admin", "{}", &["arn:admin"]),
            role("aws-service-role/x/AWSServiceRoleForX", invoke, &[]),
        ];
        let user = User {
            arn: "arn:aws:iam::1:user/ana".into(),
            name: "ana".into(),
            user_id: "".into(),
            groups: vec!["ml".into()],
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            created: Timestamp::from_secs(1),
            tags: crate::inventory::Tags::new(),
        };
        let group = Group { arn: "arn:g".into(), name: "ml".into(), inline: inline(invoke), attached: Vec::new() };
        let policy = ManagedPolicy {
            arn: "arn:admin".into(),
            name: "Admin".into(),
            version: "v1".into(),
            document: Document::new(r#"{"Action":"*","Resource":"*"}"#),
        };
        let asked = users_of_bedrock(&roles, &[user], &[group], &[policy]);
        let names: Vec<_> = asked.iter().map(|one| one.principal.last()).collect();
        assert_eq!(names, ["ana", "App", "Admin"]);
    }

    #[test]
    fn a_renewed_role_session_is_the_same_principal() {
        let role = |account: &str, role: &str, session: &str| {
            ResourceId::new(format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"))
        };
        let was = role("123456789012", "Auditor", "botocore-session-1");
        assert!(same_principal(&was, &role("123456789012", "Auditor", "botocore-session-2")));
        assert!(!same_principal(&was, &role("123456789012", "Admin", "botocore-session-1")));
        assert!(!same_principal(&was, &role("999988887777", "Auditor", "botocore-session-1")));
        assert!(!same_principal(&"arn:aws:iam::1:user/a".into(), &"arn:aws:iam::1:user/b".into()));
    }
}
