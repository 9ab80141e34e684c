//! The consequences of a plan, worked out on a copy of the inventory before anything is confirmed.

use super::apply::{self, Approved, KeySnapshot};
use super::change::Change;
use super::diff;
use super::effects::{self, AccessChange, Lockout};
use super::error::{DiffLine, FixError};
use super::journal::KeyState;
use super::plan::{Confirm, Context, Plan, own};
use super::statement::{self, Policy};
use crate::base::text::{safe_lines, shorten_middle};
use crate::base::time::span;
use crate::base::{ResourceId, Text};
use crate::inventory::kms::Key;
use crate::inventory::{Document, Inventory, Lineage, Mode, ResourceRef};
use crate::posture::{self, Assessment};

/// A finding that a plan closes or opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingChange {
    /// Id of the verdict.
    pub id: String,
    /// `CUS-KMS-06`, …
    pub control: &'static str,
    /// The resource.
    pub resource: ResourceRef,
    /// What a person calls it.
    pub name: Text,
    /// The sub-reason (`missing-right`).
    pub code: &'static str,
}

/// Everything a person must know before confirming.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    plan: Plan,
    mode: Mode,
    /// The Summary tab: label and value. Safe to draw; a value may have several lines.
    pub summary: Vec<(&'static str, String)>,
    /// The policy, or the grants, before and after.
    pub diff: Vec<DiffLine>,
    /// Who gains access. Outsiders first.
    pub gains: Vec<AccessChange>,
    /// Who loses access.
    pub loses: Vec<AccessChange>,
    /// What could not be looked at, so that more may gain or lose.
    pub incomplete: Option<Text>,
    /// Findings that will be gone.
    pub closes: Vec<FindingChange>,
    /// Findings that will be there and are not now.
    pub opens: Vec<FindingChange>,
    /// Whether the key can still be administered.
    pub lockout: Lockout,
    /// The calls, as lines for a shell; may hold line breaks, safe to draw.
    pub calls: Vec<String>,
    /// What takes it back. The id of a new grant in it is provisional.
    pub undo: Vec<Change>,
    /// The same in words.
    pub undo_words: Text,
    /// Bytes of the policy before and after, if it changes one.
    pub size: Option<(usize, usize)>,
    /// The inventory as it will be.
    pub after: Inventory,
}

impl Preview {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it is confirmed.
    pub fn confirm(&self) -> &Confirm {
        &self.plan.confirm
    }

    /// Why it cannot be applied, whatever is typed.
    pub fn refusal(&self) -> Option<FixError> {
        let lockout = || match &self.lockout {
            Lockout::Refused { why } => Some(FixError::Lockout(why.to_string())),
            _ => None,
        };
        match self.mode {
            Mode::Write | Mode::Demo => lockout(),
            Mode::ReadOnly => Some(FixError::Unsupported("this session is read-only: start with --write".to_owned())),
            Mode::Case => Some(FixError::Unsupported(
                "this is a saved case, there is no AWS behind it: open the live session with --write".to_owned(),
            )),
        }
    }

    /// Turns the preview into something that can be applied, if what was typed confirms it.
    pub fn approve(&self, typed: &str) -> Result<Approved, FixError> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        if !self.plan.confirm.accepts(typed) {
            return Err(FixError::NotConfirmed(format!("'{}'", self.plan.confirm.wanted())));
        }
        Ok(Approved::new(self.plan.clone()))
    }
}

/// Works out what a plan does, on a copy of the inventory.
pub fn preview(plan: &Plan, inventory: &Inventory, context: &Context) -> Result<Preview, FixError> {
    preview_with(plan, inventory, context, &|inventory| {
        let lineage = Lineage::of(inventory);
        let (session, trusted) = (&context.session, &context.trusted);
        posture::assess(&posture::Context::of(inventory, &lineage, session, context.now, trusted))
    })
}

/// [`preview`] with another judge of the findings.
pub fn preview_with(
    plan: &Plan,
    inventory: &Inventory,
    context: &Context,
    assess: &dyn Fn(&Inventory) -> Assessment,
) -> Result<Preview, FixError> {
    let key = inventory
        .keys
        .get(&plan.target.id)
        .ok_or_else(|| FixError::Gone(format!("key {} is not in the inventory: press r", plan.target.id)))?;
    own(key, context)?;
    plan.is_guarded()?;
    // why not the plan's own: it may come from a file, and the session may be another one by now.
    let plan = &Plan { confirm: Confirm::of(key, context), target_name: key.label().into(), ..plan.clone() };
    let state = snapshot(key)?;
    apply::compare(plan, std::slice::from_ref(&state))?;
    let mut after = inventory.clone();
    for change in &plan.changes {
        if change.key() != &plan.target.id {
            return Err(FixError::Unsupported(format!("the plan changes {} besides its target", change.key())));
        }
        if let Change::PutKeyPolicy { policy, .. } = change {
            statement::validate(policy)?;
        }
        change.apply_to(&mut after, context.now)?;
    }
    let policy = plan.policy();
    let lockout = match policy {
        Some(_) => effects::lockout(&after, &key.arn, &context.session),
        None => Lockout::Untouched,
    };
    let changes = effects::access_changes(inventory, &after, &key.arn);
    let (closes, opens) = findings(&assess(inventory), &assess(&after));
    let undo = undo(plan, &state);
    let mut preview = Preview {
        mode: context.session.mode,
        summary: Vec::new(),
        diff: difference(&state.state, after.keys.get(&key.arn)),
        gains: changes.gains,
        loses: changes.loses,
        incomplete: changes.incomplete,
        closes,
        opens,
        lockout,
        calls: plan.changes.iter().map(Change::call).collect(),
        undo_words: undo_words(plan),
        undo,
        size: policy.map(|policy| (state.state.policy.raw().len(), policy.raw().len())),
        plan: plan.clone(),
        after,
    };
    preview.summary = summary(&preview, key, &state.state.policy, context);
    Ok(preview)
}

fn snapshot(key: &Key) -> Result<KeyState, FixError> {
    let name = key.label();
    let policy = key.policy.known().map_err(|why| FixError::not_known(format!("policy of key {name}"), &why))?;
    let grants = key.grants.known().map_err(|why| FixError::not_known(format!("grants of key {name}"), &why))?;
    Ok(KeyState { key: key.arn.clone(), state: KeySnapshot { policy: policy.clone(), grants: grants.clone() } })
}

fn undo(plan: &Plan, state: &KeyState) -> Vec<Change> {
    let before = std::slice::from_ref(state);
    let mut undo: Vec<_> = plan
        .changes
        .iter()
        .filter_map(|change| {
            let id = match change {
                Change::CreateGrant { key, grant } => Some(grant.provisional_id(key)),
                _ => None,
            };
            apply::inverse(change, before, id)
        })
        .collect();
    undo.reverse();
    undo
}

fn undo_words(plan: &Plan) -> Text {
    let mut words: Vec<String> = plan
        .changes
        .iter()
        .map(|change| match change {
            Change::PutKeyPolicy { .. } => "exact: the prior document is kept in the journal".to_owned(),
            Change::CreateGrant { .. } => {
                "revokes the grant by the id that AWS gives it; may still work for some minutes after".to_owned()
            }
            Change::RevokeGrant { .. } => {
                "not exact: a new grant with the same fields gets a new id; who uses it may have failed by then"
                    .to_owned()
            }
        })
        .collect();
    words.dedup();
    Text::new(words.join("; "))
}

fn difference(before: &KeySnapshot, after: Option<&Key>) -> Vec<DiffLine> {
    let Some(after) = after else { return Vec::new() };
    let (policy, grants) = (after.policy.last(), after.grants.last());
    match (policy, grants) {
        (Some(policy), _) if *policy != before.policy => diff::policies(&before.policy, policy),
        (_, Some(grants)) => {
            let text = |grants| serde_json::to_string_pretty(grants).unwrap_or_default();
            diff::lines(&text(&before.grants), &text(grants))
        }
        _ => Vec::new(),
    }
}

/// What closes and what opens. What cannot be seen any more is not closed.
fn findings(before: &Assessment, after: &Assessment) -> (Vec<FindingChange>, Vec<FindingChange>) {
    let changes = posture::history::compare(before, after);
    let pick = |all: &Assessment, ids: &[String]| {
        let found = all.findings().into_iter().filter(|verdict| ids.contains(&verdict.id));
        found
            .map(|verdict| FindingChange {
                id: verdict.id.clone(),
                control: verdict.control,
                resource: verdict.resource.clone(),
                name: verdict.name.clone(),
                code: verdict.code,
            })
            .collect()
    };
    (pick(before, &changes.closed), pick(after, &changes.new))
}

fn summary(preview: &Preview, key: &Key, before: &Document, context: &Context) -> Vec<(&'static str, String)> {
    let session = &context.session;
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    let production = if context.production { " PRODUCTION" } else { "" };
    let short = shorten_middle(key.arn.last(), 9).into_owned();
    rows.push(("on", format!("key {}  (key/{short})  account {}{production}", key.label(), session.account)));
    let expiry = session.expires.map(|expires| match expires.secs_since(context.now) {
        left if left <= 0 => ", session has expired".to_owned(),
        left => format!(", session expires in {}", span(left)),
    });
    rows.push(("as", format!("{}{}", session.principal_name(), expiry.unwrap_or_default())));
    rows.push(("does", does(preview, before)));
    rows.push(("gains", people(&preview.gains)));
    rows.push(("loses", people(&preview.loses)));
    if let Some(incomplete) = &preview.incomplete {
        rows.push(("unseen", format!("more may gain or lose: {incomplete}")));
    }
    rows.push(("closes", named(&preview.closes)));
    rows.push(("opens", named(&preview.opens)));
    rows.push((
        "lockout",
        match &preview.lockout {
            Lockout::Safe { administrators } => {
                format!("{} and {} keep kms:PutKeyPolicy", some_of(administrators), session.principal_name())
            }
            Lockout::Untouched => "no: a grant carries no right over the policy".to_owned(),
            Lockout::Refused { why } => format!("REFUSED: {why}"),
        },
    ));
    rows.push(("undo", preview.undo_words.to_string()));
    for caveat in &preview.plan.caveats {
        rows.push(("note", caveat.to_string()));
    }
    rows.into_iter().map(|(label, value)| (label, safe_lines(&value).into_owned())).collect()
}

fn does(preview: &Preview, before: &Document) -> String {
    let mut words: Vec<String> = Vec::new();
    for change in &preview.plan.changes {
        match change {
            Change::PutKeyPolicy { policy, .. } => words.push(statements(before, policy)),
            Change::CreateGrant { grant, .. } => {
                let operations: Vec<_> = grant.operations.iter().map(Text::as_str).collect();
                words.push(format!(
                    "creates grant {} to {}: {}",
                    grant.name,
                    who(&grant.grantee),
                    operations.join(", ")
                ));
            }
            Change::RevokeGrant { grant, .. } => {
                words.push(format!("revokes grant {}", shorten_middle(grant.as_str(), 17)));
            }
        }
    }
    if let Some((from, to)) = preview.size {
        words.push(format!(
            "policy {} → {} of {} bytes",
            thousands(from),
            thousands(to),
            thousands(Document::KEY_POLICY_LIMIT)
        ));
    }
    words.join("\n")
}

/// `adds 1 statement "A"; changes 1 "B"; removes nothing`.
fn statements(before: &Document, after: &Document) -> String {
    let (Ok(before), Ok(after)) = (Policy::read(before), Policy::read(after)) else {
        return "replaces the policy, which is not valid now".to_owned();
    };
    let only = |these: &Policy, those: &Policy| -> Vec<(String, bool)> {
        let gone =
            these.statements().iter().enumerate().filter(|(_, statement)| !those.statements().contains(statement));
        gone.map(|(index, statement)| {
            let sid = statement.get("Sid").and_then(serde_json::Value::as_str);
            (sid.map_or_else(|| format!("no. {}", index + 1), |sid| format!("\"{sid}\"")), sid.is_some())
        })
        .collect()
    };
    let (mut added, mut removed) = (only(&after, &before), only(&before, &after));
    let changed: Vec<_> = added.iter().filter(|one| one.1 && removed.contains(one)).cloned().collect();
    added.retain(|one| !changed.contains(one));
    removed.retain(|one| !changed.contains(one));
    let part = |verb: &str, these: &[(String, bool)]| {
        let names: Vec<_> = these.iter().map(|(name, _)| name.as_str()).collect();
        let word = if names.len() == 1 { "statement" } else { "statements" };
        (!names.is_empty()).then(|| format!("{verb} {} {word} {}", names.len(), names.join(", ")))
    };
    let parts: Vec<String> =
        [part("adds", &added), part("changes", &changed), part("removes", &removed)].into_iter().flatten().collect();
    match (parts.is_empty(), removed.is_empty()) {
        (true, _) => "changes the layout only".to_owned(),
        (_, true) => format!("{}; removes nothing", parts.join("; ")),
        _ => parts.join("; "),
    }
}

fn people(changes: &[AccessChange]) -> String {
    if changes.is_empty() {
        return "nobody".to_owned();
    }
    let mut rows: Vec<String> =
        changes.iter().take(4).map(|c| format!("{}: {} ({})", c.name, c.actions.join(", "), c.how)).collect();
    if changes.len() > 4 {
        rows.push(format!("and {} more: see the Access tab", changes.len() - 4));
    }
    rows.join("\n")
}

fn named(findings: &[FindingChange]) -> String {
    if findings.is_empty() {
        return "nothing".to_owned();
    }
    let mut rows: Vec<String> = findings.iter().take(4).map(|f| format!("{} on {}", f.control, f.name)).collect();
    if findings.len() > 4 {
        rows.push(format!("and {} more: see the Findings tab", findings.len() - 4));
    }
    rows.join(", ")
}

fn some_of(names: &[Text]) -> String {
    let shown: Vec<_> = names.iter().take(3).map(Text::as_str).collect();
    match names.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} (+{more})", shown.join(", ")),
    }
}

fn who(principal: &ResourceId) -> &str {
    principal.last()
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
#[path = "preview_tests.rs"]
mod tests;
