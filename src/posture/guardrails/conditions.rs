//! Whether policies that ask for a guardrail ask for it on custom models too.

use std::collections::BTreeMap;

use crate::access::decision::Tri;
use crate::access::{Condition, ContextValue, Effect, Policy, Statement};
use crate::base::{Arn, Text};
use crate::inventory::{Document, Inventory, Kind, ResourceRef, SourceId};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use crate::posture::control::{Context, Control};
use crate::posture::identity::{FAMILIES, nobody_of};
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::{INVOKES, idle, serves};
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const GRD_03: Control = Control {
    id: "CUS-GRD-03",
    title: "IAM guardrail conditions name custom-model ARNs",
    severity: Severity::High,
    area: Area::Guardrails,
    what: "policies that ask for a guardrail",
    // why no lists: the models only say whether there is something to protect.
    lists: &[],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "Judges every identity policy, and each service control policy that could be read, with a condition on \
            bedrock:GuardrailIdentifier. It must deny InvokeModel and InvokeModelWithResponseStream on custom models, \
            deployments, imported models and provisioned throughput (every one by wildcard, or each that is here by \
            name) when the request brings another guardrail or none: AWS's own examples name foundation-model/* alone. \
            A Deny that does not hold without a guardrail, or only under a further condition, does not bind. A policy \
            that asks only in its Allows, and a negation with IfExists, are warnings.",
    reasons: &["custom-models-uncovered", "condition-does-not-bind", "actions-uncovered", "allow-only", "if-exists"],
    remediation: "Add the ARNs of custom-model, custom-model-deployment, imported-model and provisioned-model to the \
                  Resource of the Deny, with ArnNotLike on bedrock:GuardrailIdentifier.",
    cli: "aws iam create-policy-version --policy-arn POLICY --set-as-default --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-3", "AC-6"]),
        (FEDRAMP, &["AC-3", "AC-6"]),
        (PCI, &["7.2.1"]),
        (OWASP, &["LLM01"]),
        (ATLAS, &["AML.T0054", "AML.M0020"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: conditions,
};

const KEY: &str = "bedrock:GuardrailIdentifier";

/// A document, whose it is, and what it is called.
struct Held<'a> {
    of: ResourceRef,
    name: &'a Text,
    document: &'a Document,
}

fn conditions(judge: &Judge<'_>) -> Vec<Verdict> {
    if let Some(said) = idle(judge, serves(judge)) {
        return said;
    }
    let mut by_holder: BTreeMap<ResourceRef, Vec<Held<'_>>> = BTreeMap::new();
    for held in held(judge.context.inventory).filter(|held| mentions(held.document)) {
        by_holder.entry(held.of.clone()).or_default().push(held);
    }
    by_holder.into_iter().flat_map(|(of, held)| of_holder(judge, of, &held)).collect()
}

/// All policies of one holder.
fn of_holder(judge: &Judge<'_>, of: ResourceRef, held: &[Held<'_>]) -> Vec<Verdict> {
    let subject = judge.on(of);
    let (mut problems, mut broken, mut facts) = (Vec::new(), None, Vec::new());
    for Held { name, document, .. } in held {
        let policy = match Policy::parse(document) {
            Ok(policy) => policy,
            Err(error) => {
                broken.get_or_insert_with(|| format!("policy {name}: {error}"));
                continue;
            }
        };
        if let Some((statement, why)) = policy.malformed().next() {
            broken.get_or_insert_with(|| format!("policy {name}, {}: {why}", statement.pointer()));
        }
        let asking: Vec<&Statement> = policy.statements.iter().filter(|statement| asks(statement)).collect();
        if !asking.is_empty() {
            facts.extend(asking.iter().map(|one| (format!("policy {name} {}", words(one)), one.pointer())));
            problems.extend(judged(judge.context, name.as_str(), &policy, &asking));
        }
    }
    let names = listed(held.iter().map(|held| held.name));
    // The word stood in a Sid.
    if broken.is_none() && facts.is_empty() {
        return Vec::new();
    }
    let draft = subject.shows("policies", &names);
    let draft = facts.into_iter().fold(draft, |draft, (fact, pointer)| draft.points("statement", fact, Some(pointer)));
    let open = broken.map(|why| ("malformed", why));
    draft.conclude_open(problems, open, format!("{names}: custom models are denied without the guardrail"))
}

/// Every document that says what somebody of the account may do.
fn held(inventory: &Inventory) -> impl Iterator<Item = Held<'_>> {
    let managed = inventory.policies.values().map(|policy| Held {
        of: ResourceRef::new(Kind::Policy, &policy.arn),
        name: &policy.name,
        document: &policy.document,
    });
    let roles = inventory.roles.values().map(|role| (Kind::Role, &role.arn, &role.inline));
    let users = inventory.users.values().map(|user| (Kind::User, &user.arn, &user.inline));
    let groups = inventory.groups.values().map(|group| (Kind::Group, &group.arn, &group.inline));
    let inline = roles.chain(users).chain(groups).flat_map(|(kind, arn, inline)| {
        let of = move || ResourceRef::new(kind, arn);
        inline.iter().map(move |policy| Held { of: of(), name: &policy.name, document: &policy.document })
    });
    // A resource control policy reaches no action of Bedrock; what could not be read is told by coverage.
    let from_above = inventory.organization_policies.values().filter(|policy| policy.kind == "SERVICE_CONTROL_POLICY");
    let from_above = from_above.filter_map(|policy| {
        let document = policy.document.known().ok()?;
        Some(Held { of: ResourceRef::new(Kind::OrganizationPolicy, &policy.id), name: &policy.name, document })
    });
    managed.chain(inline).chain(from_above)
}

/// Whether a document may speak of the key; one with escapes may without the word.
fn mentions(document: &Document) -> bool {
    let raw = document.raw();
    raw.to_ascii_lowercase().contains("guardrailidentifier") || raw.contains("\\u")
}

fn asks(statement: &Statement) -> bool {
    statement.malformed.is_none() && statement.conditions.iter().any(|condition| condition.is_on(KEY))
}

fn words(statement: &Statement) -> Text {
    let effect = if statement.effect == Effect::Deny { "Deny" } else { "Allow" };
    let resources = statement.resources.as_ref().map(|held| {
        let sign = if held.negated { "all but " } else { "" };
        format!("{sign}{}", listed(&held.patterns))
    });
    let conditions = listed(statement.conditions.iter().map(Condition::words));
    Text::new(format!("{}: {effect} on {} when {conditions}", statement.label(), resources.unwrap_or_default()))
}

fn judged(context: &Context<'_>, name: &str, policy: &Policy, asking: &[&Statement]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for condition in asking.iter().flat_map(|statement| statement.conditions.iter().map(move |c| (*statement, c))) {
        let (statement, condition) = condition;
        if condition.is_on(KEY) && condition.if_exists {
            let denies = statement.effect == Effect::Deny && condition.operator.opposite_of().is_some();
            let why = format!("policy {name}, {}: {}", statement.label(), condition.words());
            // why a warning: without the key a negation holds with IfExists as without it (IAM User Guide, "IfExists").
            let problem = if denies {
                Problem::warn("if-exists", format!("{why}: say it without IfExists"))
            } else {
                Problem::fail("condition-does-not-bind", format!("{why} holds for a request without a guardrail"))
            };
            problems.push(problem.points(
                "condition",
                format!("policy {name}: {}", condition.words()),
                statement.pointer(),
            ));
        }
    }
    let denies: Vec<&Statement> = asking.iter().copied().filter(|statement| statement.effect == Effect::Deny).collect();
    if denies.is_empty() {
        if problems.is_empty() {
            let why = format!(
                "policy {name} asks for a guardrail only where it allows: what another policy allows goes around it"
            );
            problems.push(Problem::warn("allow-only", why));
        }
        return problems;
    }
    let (binding, loose): (Vec<&Statement>, Vec<&Statement>) =
        denies.into_iter().partition(|statement| binds(statement, policy));
    for statement in loose {
        let held = statement.conditions.iter().filter(|c| !c.is_on(KEY) || !bites(c, policy)).map(Condition::words);
        let held = listed(held);
        let why = format!(
            "policy {name}, {}: the Deny does not hold for every request without the guardrail ({held})",
            statement.label()
        );
        let held = format!("policy {name}: {held}");
        problems.push(Problem::fail("condition-does-not-bind", why).points("condition", held, statement.pointer()));
    }
    if binding.is_empty() {
        return problems;
    }
    let missing: Vec<&str> = INVOKES
        .iter()
        .copied()
        .filter(|action| !binding.iter().any(|s| s.actions.as_ref().is_some_and(|actions| actions.cover(action))))
        .collect();
    if !missing.is_empty() {
        let why = format!("policy {name} denies without the guardrail, but not {}", listed(&missing));
        problems.push(Problem::fail("actions-uncovered", why).shows("missing", listed(&missing)));
    }
    let open: Vec<&str> =
        FAMILIES.iter().copied().filter(|family| !is_covered(context, family, &binding, policy)).collect();
    if !open.is_empty() {
        let why = format!("policy {name} asks for a guardrail, but not of {}", listed(&open));
        let mut problem = Problem::fail("custom-models-uncovered", why).shows("gap", listed(&open));
        for statement in &binding {
            problem = problem.points("Resource", format!("policy {name} {}", words(statement)), statement.pointer());
        }
        problems.push(problem);
    }
    problems
}

/// Whether a Deny applies to every request that does not bring the guardrail.
fn binds(statement: &Statement, policy: &Policy) -> bool {
    statement.conditions.iter().all(|condition| condition.is_on(KEY) && bites(condition, policy))
}

/// Whether a condition holds without a guardrail, and with one that nobody named.
fn bites(condition: &Condition, policy: &Policy) -> bool {
    let other = ContextValue::one("arn:aws:bedrock:us-east-1:000000000000:guardrail/bedwatch0:1");
    [ContextValue::Absent, other].iter().all(|value| condition.holds(value, policy.version) == Tri::Yes)
}

/// Whether statements deny on every resource of a kind, or on each that is here.
fn is_covered(context: &Context<'_>, family: &str, denies: &[&Statement], policy: &Policy) -> bool {
    let covers = |arn: &Arn| {
        let on = |statement: &&Statement| {
            statement
                .resources
                .as_ref()
                .is_some_and(|resources| resources.cover(arn) && !resources.has_variables(policy.version))
        };
        denies.iter().any(on)
    };
    if covers(&nobody_of(context, family)) {
        return true;
    }
    let inventory = context.inventory;
    let (mut there, mut all) = (false, true);
    let ids: Vec<_> = match family {
        "custom-model" => inventory.models.values().filter(|model| model.owned).map(|model| &model.arn).collect(),
        "custom-model-deployment" => inventory.deployments.keys().collect(),
        "imported-model" => inventory.imported_models.keys().collect(),
        _ => inventory.throughputs.keys().collect(),
    };
    for id in ids {
        there = true;
        all &= id.arn().is_some_and(|arn| covers(&arn));
    }
    there && all
}
