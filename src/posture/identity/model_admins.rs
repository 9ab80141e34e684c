//! Who can make, change, share and destroy models, or what guards them.

use std::collections::BTreeMap;

use crate::access::catalogue::{self, Action};
use crate::access::{Decision, Identity, Scenario};
use crate::base::{Arn, Text};
use crate::inventory::{Kind, SourceId};
use crate::posture::catalogue::framework::{ATLAS, CIS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::judge::{Judge, Problem, listed};
use crate::posture::permissions::{
    Granted, NOBODY, Reach, customizes, decide, granted, idle, may, principal, reaches, scenario, settle, ways,
};
use crate::posture::verdict::{Area, Severity, Verdict};

use super::pass_role::of_account;
use super::reach::ADMINISTERS;

pub(in crate::posture) const IAM_07: Control = Control {
    id: "CUS-IAM-07",
    title: "Few, named principals may create, import, copy, share or delete models",
    severity: Severity::High,
    area: Area::Identity,
    what: "principals that may administer models",
    // why no lists: whether there is customization at all only says whether there is something to protect.
    lists: &[],
    tables: &[SourceId::AUTHORIZATION],
    details: &[],
    logic: "Lists every role and user that may create, import, copy, deploy, share or delete custom models, or change \
            invocation logging, enforced guardrails or a guardrail; conditions leave it so, a Deny or a boundary that \
            takes all of it away does not. A user is a failure: people and pipelines should come as roles. So is an \
            Allow of all Bedrock actions on everything, and so are more than eight principals together.",
    reasons: &["iam-user", "wildcard-grant", "too-many-principals"],
    remediation: "Replace the wildcard by the actions that the principal needs, and leave the rights to a few roles.",
    cli: "aws iam put-role-policy --role-name ROLE --policy-name models --policy-document file://POLICY.json",
    compliance: &[
        (NIST, &["AC-2", "AC-3", "AC-5", "AC-6"]),
        (FEDRAMP, &["AC-2", "AC-3", "AC-5", "AC-6"]),
        (PCI, &["7.2.1", "7.2.4"]),
        (HIPAA, &["164.308(a)(3)"]),
        (GDPR, &["25"]),
        (CIS, &["2.15"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0018", "AML.M0019"]),
        (SRA, &["IAM"]),
    ],
    fixes: &[],
    evaluate: few_admins,
};

fn few_admins(judge: &Judge<'_>) -> Vec<Verdict> {
    let context = judge.context;
    if let Some(said) = idle(judge, customizes(judge)) {
        return said;
    }
    let now = scenario(context);
    let like = of_account(context, "bedrock", "custom-model");
    let actions: Vec<&Action> = ADMINISTERS.iter().filter_map(|action| catalogue::action(action)).collect();
    let (mut verdicts, mut admins, mut open) = (Vec::new(), Vec::new(), 0);
    for identity in judge.permissions().holders(judge, &ADMINISTERS) {
        let Some(this) = principal(identity) else { continue };
        let (rights, unsure) = rights(identity, &actions, &like, &now);
        let name = identity.caller.name();
        if rights.is_empty() {
            let why = unsure.or_else(|| identity.gaps.first().cloned());
            open += usize::from(why.is_some());
            verdicts.extend(why.map(|why| judge.on(this).undecided("uncertain", why)));
            continue;
        }
        admins.push(name.to_owned());
        let mut problems = Vec::new();
        let words = listed(rights.keys().map(|action| action.trim_start_matches("bedrock:")));
        if this.kind == Kind::User {
            let why = format!("user {name} may {words}: a user's credentials do not expire");
            problems.push(Problem::fail("iam-user", why));
        }
        for by in granted(identity).filter(|by| is_wild(identity, *by, &like, &now)) {
            let why = format!("{} lets {name} do everything with Bedrock", by.place());
            let problem = Problem::fail("wildcard-grant", why);
            problems.push(problem.points("statement", by.words(), by.statement.pointer()));
        }
        let mut draft = judge.on(this).shows("actions", rights.len());
        for (action, way) in &rights {
            let when = match &way.decision {
                Decision::Conditional { conditions, .. } => format!(" when {}", listed(conditions)),
                _ => String::new(),
            };
            draft = draft.points(action, format!("{}{when}", way.by.place()), Some(way.pointer()));
        }
        verdicts.extend(settle(draft, identity, problems, None, format!("it may {words}, by name")));
    }
    verdicts.push(together(judge, &admins, open));
    verdicts
}

/// All of them: how many there are.
fn together(judge: &Judge<'_>, admins: &[String], open: usize) -> Verdict {
    let (count, most) = (admins.len(), judge.context.expect.max_model_admins);
    let names = if admins.is_empty() { "nobody".to_owned() } else { listed(admins) };
    let draft = judge.on_region().shows("principals", count).shows("most", most).shows("names", &names);
    let many = format!("{count} principals may administer models, more than {most}: {names}");
    match () {
        () if count > most => draft.fail("too-many-principals", many),
        () if count + open > most => {
            draft.undecided("uncertain", format!("{count} principals may administer models, and {open} more perhaps"))
        }
        () => draft.pass(format!("{names} may administer models")),
    }
}

/// What somebody may do, each by the first statement that lets it; and why something is not known.
fn rights<'a>(
    identity: &'a Identity,
    actions: &[&'static Action],
    like: &'a Arn,
    now: &'a Scenario,
) -> (BTreeMap<&'static str, Reach<'a>>, Option<Text>) {
    let (mut found, mut unsure) = (BTreeMap::new(), None);
    for action in actions.iter().copied() {
        let mut ways = reaches(identity, action, like, now);
        let best = ways.find(|way| {
            may(&way.decision) || {
                unsure.get_or_insert_with(|| Text::new(format!("{}: {}", action.name, way.decision.words())));
                false
            }
        });
        if let Some(way) = best {
            found.insert(action.name.as_str(), way);
        }
    }
    (found, unsure)
}

/// Whether a statement gives whatever Bedrock can do, on everything, and something of it is left.
fn is_wild(identity: &Identity, by: Granted<'_>, like: &Arn, now: &Scenario) -> bool {
    let unheard = format!("bedrock:{NOBODY}");
    // What no service calls a resource is met by what means every one.
    let anything = like.sibling("bedrock", NOBODY);
    let means_all = ways(identity, by, &anything).iter().any(|(.., on)| *on == anything);
    let left = |action: &&str| by.covers(action) && may(&decide(identity, action, like, now));
    by.covers(&unheard) && means_all && ADMINISTERS.iter().any(left)
}
