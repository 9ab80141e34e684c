//! A preview in few words: the rows of the Summary tab.

use super::change::Change;
use super::effects::{AccessChange, Lockout};
use super::plan::Context;
use super::preview::{FindingChange, Preview};
use super::statement::Policy;
use super::target::Target;
use crate::base::text::{safe_lines, shorten_middle};
use crate::base::time::span;
use crate::base::{ResourceId, Text};
use crate::inventory::Document;

/// The rows: label and value, safe to draw.
pub(super) fn summary(
    preview: &Preview,
    target: &Target<'_>,
    before: Option<&Document>,
    context: &Context,
) -> Vec<(&'static str, String)> {
    let session = &context.session;
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    let production = if context.production { " PRODUCTION" } else { "" };
    let what = match target {
        Target::Key(key) => format!("key {}  (key/{})", key.label(), shorten_middle(key.arn.last(), 9)),
        Target::Bucket(bucket) => format!("bucket {}", bucket.name),
    };
    rows.push(("on", format!("{what}  account {}{production}", session.account)));
    let expiry = session.expires.map(|expires| match expires.secs_since(context.now) {
        left if left <= 0 => ", session has expired".to_owned(),
        left => format!(", session expires in {}", span(left)),
    });
    rows.push(("as", format!("{}{}", session.principal_name(), expiry.unwrap_or_default())));
    rows.push(("does", does(preview, before)));
    // What can hurt stands before the lists, which can be long: on a small screen it is seen first.
    rows.push(("opens", named(&preview.opens)));
    rows.push((
        "lockout",
        match &preview.lockout {
            Lockout::Safe { administrators } => {
                format!("{} and {} keep kms:PutKeyPolicy", some_of(administrators), session.principal_name())
            }
            Lockout::Untouched => "no: the policy is not touched".to_owned(),
            Lockout::Refused { why } => format!("REFUSED: {why}"),
        },
    ));
    if let Some(read) = target.read(preview.plan()) {
        let ago = span(context.now.secs_since(read));
        rows.push(("drift", format!("read {ago} ago; read again and compared before anything is written")));
    }
    rows.push(("closes", named(&preview.closes)));
    rows.push(("gains", people(&preview.gains, true)));
    rows.push(("loses", people(&preview.loses, false)));
    if let Some(incomplete) = &preview.incomplete {
        rows.push(("unseen", format!("more may gain or lose: {incomplete}")));
    }
    rows.push(("undo", preview.undo_words.to_string()));
    for caveat in &preview.plan().caveats {
        rows.push(("note", caveat.to_string()));
    }
    rows.into_iter().map(|(label, value)| (label, safe_lines(&value).into_owned())).collect()
}

fn does(preview: &Preview, before: Option<&Document>) -> String {
    let mut words: Vec<String> = Vec::new();
    for change in &preview.plan().changes {
        match change {
            Change::PutKeyPolicy { policy, .. } => words.extend(before.map(|before| statements(before, policy))),
            Change::PutSetting { setting, .. } => words.push(setting.words()),
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
pub(super) fn statements(before: &Document, after: &Document) -> String {
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

/// Who, in few lines: those with the same change stand together. The Access tab has all.
fn people(changes: &[AccessChange], with_how: bool) -> String {
    if changes.is_empty() {
        return "nobody".to_owned();
    }
    let mut groups: Vec<(&AccessChange, Vec<&Text>)> = Vec::new();
    for change in changes {
        let same = |held: &AccessChange| {
            held.actions == change.actions && held.foreign == change.foreign && (!with_how || held.how == change.how)
        };
        match groups.iter_mut().find(|(held, _)| same(held)) {
            Some((_, names)) if !names.contains(&&change.name) => names.push(&change.name),
            Some(_) => {}
            None => groups.push((change, vec![&change.name])),
        }
    }
    let row = |(change, names): &(&AccessChange, Vec<&Text>)| {
        let names: Vec<Text> = names.iter().map(|name| (*name).clone()).collect();
        let how = if with_how { format!(" ({})", change.how) } else { String::new() };
        format!("{}: {}{how}", some_of(&names), actions(&change.actions))
    };
    let mut rows: Vec<String> = groups.iter().take(3).map(row).collect();
    if groups.len() > 3 {
        let more: usize = groups.iter().skip(3).map(|(_, names)| names.len()).sum();
        rows.push(format!("and {more} more: see the Access tab"));
    }
    rows.join("\n")
}

/// A few actions as they are; of many, those that matter most.
fn actions(actions: &[&'static str]) -> String {
    const FIRST: &[&str] = &["PutKeyPolicy", "CreateGrant", "Decrypt", "GenerateDataKey"];
    if actions.len() <= 5 {
        return actions.join(", ");
    }
    let rank = |action: &&str| FIRST.iter().position(|first| first == action).unwrap_or(FIRST.len());
    let mut sorted = actions.to_vec();
    sorted.sort_by_key(rank);
    sorted.truncate(4);
    format!("{} and {} more", sorted.join(", "), actions.len() - sorted.len())
}

fn named(findings: &[FindingChange]) -> String {
    if findings.is_empty() {
        return "nothing".to_owned();
    }
    let mut rows: Vec<String> =
        findings.iter().take(4).map(|f| format!("{} {} on {}", f.severity, f.control, f.name)).collect();
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

pub(super) fn thousands(n: usize) -> String {
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
