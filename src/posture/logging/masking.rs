//! CUS-LOG-08: whether sensitive data in the invocation log is masked.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{group, group_ref, log_target};
use crate::access::{Caller, Identity, Scenario, identity_decides};
use crate::base::{Arn, Text};
use crate::inventory::logs::LogGroup;
use crate::inventory::{Document, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::judge::{Judge, Problem, listed, unread};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_08: Control = Control {
    id: "CUS-LOG-08",
    title: "Sensitive data in the invocation log is masked",
    severity: Severity::Medium,
    area: Area::Logging,
    what: "log groups of invocation logging",
    lists: &[SourceId::LOGGING],
    tables: &[SourceId::LOG_GROUPS, SourceId::LOG_ACCOUNT_POLICIES],
    details: &[SourceId::LOG_PROTECTION],
    logic: "The log group must have an active data protection policy, of its own or from the account, that audits and \
            de-identifies, and whose de-identified identifiers hold at least one of credentials and one of personal \
            data. Who may see what is masked (logs:Unmask) is shown.",
    reasons: &["no-protection", "no-audit", "no-deidentify", "identifiers-missing"],
    remediation: "Put a data protection policy on the log group, with credentials and the personal data that prompts \
                  can hold.",
    cli: "aws logs put-data-protection-policy --log-group-identifier GROUP --policy-document file://PROTECTION.json",
    compliance: &[
        (NIST, &["AC-21", "PT-2"]),
        (FEDRAMP, &["AC-21"]),
        (PCI, &["3.4.1"]),
        (HIPAA, &["164.514"]),
        (GDPR, &["25", "32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.T0057"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: masked,
};

/// Identifiers of credentials (Amazon CloudWatch Logs User Guide, data identifiers). All others that AWS manages
/// are of persons, their health, money or devices.
const CREDENTIALS: &[&str] =
    &["AwsSecretKey", "OpenSshPrivateKey", "PgpPrivateKey", "PkcsPrivateKey", "PuttyPrivateKey"];
/// Above this many principals nobody reads the list; `bedwatch access` answers it.
const MOST_PRINCIPALS: usize = 1000;

/// What policies of data protection do.
#[derive(Debug, Default)]
struct Protection {
    audits: bool,
    /// Managed identifiers that are masked.
    masks: BTreeSet<String>,
    /// Whether anything is.
    deidentifies: bool,
}

fn masked(judge: &Judge<'_>) -> Vec<Verdict> {
    let Some(target) = log_target(judge) else { return Vec::new() };
    let name = &target.log_group;
    let subject = judge.on(group_ref(name));
    let group = match group(judge, name) {
        Ok(Some(group)) => group,
        Ok(None) => return vec![subject.not_applicable(format!("log group {name} does not exist; see CUS-LOG-04"))],
        Err(why) => return vec![subject.unread(why)],
    };
    let status = group.protection_status.as_ref().map_or("none", Text::as_str);
    let inherited = if group.inherited.is_empty() { "none".to_owned() } else { listed(&group.inherited) };
    let draft = subject.shows("dataProtectionStatus", status).shows("inheritedProperties", inherited);
    let own = status == "ACTIVATED";
    let of_account = group.inherited.iter().any(|one| one == "ACCOUNT_DATA_PROTECTION");
    if !own && !of_account {
        let why = format!("log group {name} has no active data protection policy: prompts are stored as they came");
        return vec![draft.fail("no-protection", why)];
    }
    let documents = match documents(judge.context, group, own, of_account) {
        Ok(documents) => documents,
        Err(why) => return vec![draft.undecided("unread", why)],
    };
    let mut found = Protection::default();
    for document in documents {
        match document.json() {
            Ok(json) => found.read(&json),
            Err(error) => return vec![draft.undecided("malformed", format!("data protection policy: {error}"))],
        }
    }
    let draft = draft
        .shows("Audit", found.audits)
        .shows("Deidentify", if found.masks.is_empty() { "none".to_owned() } else { listed(&found.masks) })
        .shows("logs:Unmask", unmaskers(judge, group));
    draft.conclude(found.problems(name.as_str()), "credentials and personal data are masked")
}

/// The policies in force, own and of the account.
fn documents<'a>(
    context: &Context<'a>,
    group: &'a LogGroup,
    own: bool,
    of_account: bool,
) -> Result<Vec<&'a Document>, String> {
    let mut all = Vec::new();
    if own {
        let read = group.protection.known().map_err(|unknown| unread("logs:GetDataProtectionPolicy", unknown))?;
        all.extend(read);
    }
    if of_account {
        let read = context.inventory.settings.log_protection.known();
        all.extend(read.map_err(|unknown| unread("logs:DescribeAccountPolicies", unknown))?);
    }
    Ok(all)
}

impl Protection {
    /// Adds a policy. Its language is its own (`DataIdentifier`, `Operation`), not IAM's.
    fn read(&mut self, policy: &Value) {
        let statements = policy.get("Statement").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for statement in statements {
            let Some(operation) = statement.get("Operation") else { continue };
            self.audits |= operation.get("Audit").is_some();
            if operation.get("Deidentify").is_none() {
                continue;
            }
            self.deidentifies = true;
            let identifiers = statement.get("DataIdentifier").and_then(Value::as_array);
            let names = identifiers.into_iter().flatten().filter_map(Value::as_str);
            // A custom identifier is a bare name: what it finds nobody knows but who wrote it.
            let managed =
                names.filter_map(|name| name.split_once(":data-identifier/").map(|(_, name)| name.to_owned()));
            self.masks.extend(managed);
        }
    }

    fn problems(&self, group: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.audits {
            let why = format!("the data protection policy of log group {group} reports nothing that it finds");
            problems.push(Problem::fail("no-audit", why));
        }
        if !self.deidentifies {
            let why = format!("the data protection policy of log group {group} masks nothing");
            problems.push(Problem::fail("no-deidentify", why));
            return problems;
        }
        let secret = |name: &String| CREDENTIALS.contains(&name.as_str());
        let lacks: Vec<&str> = [
            (self.masks.iter().any(secret), "credentials"),
            (self.masks.iter().any(|name| !secret(name)), "personal data"),
        ]
        .into_iter()
        .filter_map(|(held, what)| (!held).then_some(what))
        .collect();
        if !lacks.is_empty() {
            let why = format!("the data protection policy of log group {group} does not mask {}", lacks.join(" and "));
            problems.push(Problem::fail("identifiers-missing", why));
        }
        problems
    }
}

/// Who may see what is masked, in words: evidence, not judged.
fn unmaskers(judge: &Judge<'_>, group: &LogGroup) -> String {
    let context = judge.context;
    let inventory = context.inventory;
    if let Some(why) = judge.gap(SourceId::AUTHORIZATION) {
        return format!("not known: {why}");
    }
    let principals = inventory.roles.len() + inventory.users.len();
    if principals > MOST_PRINCIPALS {
        return format!("not listed: there are {principals} roles and users");
    }
    let on = Arn {
        partition: context.partition.to_owned(),
        service: "logs".to_owned(),
        region: context.region.to_owned(),
        account: context.account.to_owned(),
        resource: format!("log-group:{}:*", group.name),
    };
    let callers = inventory.roles.keys().chain(inventory.users.keys());
    let may: Vec<String> = callers
        .filter_map(|arn| Caller::parse(arn.as_str()).ok())
        .filter(|caller| {
            let identity = Identity::of(inventory, caller);
            !identity_decides(&identity, "logs:Unmask", &on, &Scenario::open()).decision.is_denied()
        })
        .map(|caller| caller.name().to_owned())
        .collect();
    if may.is_empty() { "nobody".to_owned() } else { listed(may) }
}
