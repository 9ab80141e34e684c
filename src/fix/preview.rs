//! The consequences of a plan, worked out on a copy of the inventory before anything is confirmed.

use super::apply::{self, Approved, json_lines};
use super::change::Change;
use super::diff;
use super::effects::{self, AccessChange, Lockout};
use super::error::{DiffLine, FixError};
use super::journal::{Held, KeyState, SettingState};
use super::plan::{Confirm, Context, Plan};
use super::setting::Setting;
use super::statement;
use super::summary::summary;
use super::target::{Target, look};
use crate::base::Text;
use crate::inventory::{Inventory, Lineage, Mode, ResourceRef};
use crate::posture::{self, Assessment, Severity};

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
    /// Title of the control.
    pub title: &'static str,
    /// How bad.
    pub severity: Severity,
    /// One sentence: what is, or will be, wrong.
    pub reason: Text,
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
        let (session, expect) = (&context.session, &context.expect);
        posture::assess(&posture::Context::of(inventory, &lineage, session, context.now, expect))
    })
}

/// [`preview`] with another judge of the findings.
pub fn preview_with(
    plan: &Plan,
    inventory: &Inventory,
    context: &Context,
    assess: &dyn Fn(&Inventory) -> Assessment,
) -> Result<Preview, FixError> {
    let target = Target::of(&plan.target, inventory, context)?;
    plan.is_guarded()?;
    // why not the plan's own: it may come from a file, and the session may be another one by now.
    let plan = &Plan {
        confirm: Confirm::of(target.name(), target.is_grave(plan), context),
        target_name: target.name().into(),
        ..plan.clone()
    };
    let before = plan.spots().iter().map(|spot| look(inventory, spot)).collect::<Result<Vec<_>, _>>()?;
    apply::compare(plan, &before)?;
    let mut after = inventory.clone();
    for change in &plan.changes {
        target.is_of(change, context)?;
        if let Change::PutKeyPolicy { policy, .. } = change {
            statement::validate(policy)?;
        }
        change.apply_to(&mut after, context.now)?;
    }
    let policy = plan.policy();
    let lockout = match policy {
        Some(_) => effects::lockout(&after, &plan.target.id, &context.session),
        None => Lockout::Untouched,
    };
    let changes = target.access(plan, inventory, &after);
    let (closes, opens) = findings(&assess(inventory), &assess(&after));
    let undo = undo(plan, &before);
    let prior = before.iter().find_map(Held::key).map(|held| &held.state.policy);
    let mut preview = Preview {
        mode: context.session.mode,
        summary: Vec::new(),
        diff: difference(&before, &after),
        gains: changes.gains,
        loses: changes.loses,
        incomplete: changes.incomplete,
        closes,
        opens,
        lockout,
        calls: plan.changes.iter().map(Change::call).collect(),
        undo_words: undo_words(plan),
        undo,
        size: prior.zip(policy).map(|(prior, policy)| (prior.raw().len(), policy.raw().len())),
        plan: plan.clone(),
        after,
    };
    preview.summary = summary(&preview, &target, prior, context);
    Ok(preview)
}

fn undo(plan: &Plan, before: &[Held]) -> Vec<Change> {
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
            Change::PutSetting { setting, .. } => setting.undo_words().to_owned(),
        })
        .collect();
    words.dedup();
    Text::new(words.join("; "))
}

fn difference(before: &[Held], after: &Inventory) -> Vec<DiffLine> {
    let of = |held: &Held| match held {
        Held::Key(KeyState { key, state }) => {
            let Some(after) = after.keys.get(key) else { return Vec::new() };
            match (after.policy.last(), after.grants.last()) {
                (Some(policy), _) if *policy != state.policy => diff::policies(&state.policy, policy),
                (_, Some(grants)) => diff::lines(&json_lines(Some(&state.grants)), &json_lines(Some(grants))),
                _ => Vec::new(),
            }
        }
        Held::Setting(SettingState { bucket, setting }) => {
            let after = after.buckets.get(&bucket.name).and_then(|held| Setting::of(held, setting.which()).ok());
            diff::lines(&json_lines(Some(setting)), &json_lines(after.as_ref()))
        }
    };
    before.iter().flat_map(of).collect()
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
                title: verdict.title,
                severity: verdict.severity,
                reason: verdict.reason.clone(),
            })
            .collect()
    };
    (pick(before, &changes.closed), pick(after, &changes.new))
}

#[cfg(test)]
#[path = "preview_tests.rs"]
mod tests;
