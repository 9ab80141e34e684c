//! A plan as a file: written by one run, read by another. What is in it besides the plan is for
//! people and reviews; who applies it works the consequences out again.

use serde_json::{Value, json};

use super::effects::{AccessChange, Lockout};
use super::error::{DiffKind, FixError};
use super::plan::Plan;
use super::preview::{FindingChange, Preview};
use crate::base::Timestamp;
use crate::base::text::safe;
use crate::inventory::SessionInfo;

/// The format. The number goes up when an older version could not read it, or would misread it.
pub const SCHEMA: &str = "bedwatch.plan/1";

/// A plan with its consequences, as JSON.
pub fn to_json(preview: &Preview, session: &SessionInfo, at: Timestamp) -> Value {
    let diff = preview.diff.iter().map(|line| {
        let mark = match line.kind {
            DiffKind::Same => ' ',
            DiffKind::Added => '+',
            DiffKind::Removed => '-',
        };
        format!("{mark} {}", line.text)
    });
    let summary = preview.summary.iter().map(|(label, value)| json!({"label": label, "text": value}));
    json!({
        "schema": SCHEMA,
        "at": at.to_string(),
        "session": {
            "account": session.account, "alias": session.alias, "region": session.region,
            "principal": session.principal,
        },
        "plan": preview.plan(),
        "consequences": {
            "summary": summary.collect::<Vec<_>>(),
            "diff": diff.collect::<Vec<_>>(),
            "gains": preview.gains.iter().map(access).collect::<Vec<_>>(),
            "loses": preview.loses.iter().map(access).collect::<Vec<_>>(),
            "incomplete": preview.incomplete,
            "closes": preview.closes.iter().map(finding).collect::<Vec<_>>(),
            "opens": preview.opens.iter().map(finding).collect::<Vec<_>>(),
            "lockout": lockout(&preview.lockout),
            "calls": preview.calls,
            "undo": {
                "words": preview.undo_words,
                "calls": preview.undo.iter().map(super::Change::call).collect::<Vec<_>>(),
            },
        },
    })
}

/// The plan of a file. One that was edited is refused: what was reviewed is what is applied.
pub fn parse(text: &str) -> Result<Plan, FixError> {
    let bad = |why: String| Err(FixError::Unsupported(why));
    let mut json: Value = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => return bad(format!("the plan is no JSON: {}", safe(&error.to_string()))),
    };
    match json.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) if other.starts_with("bedwatch.plan/") => {
            return bad(format!("the plan has the format {}, this version reads {SCHEMA}: make it again", safe(other)));
        }
        _ => return bad(format!("this is no plan: it does not say \"schema\": \"{SCHEMA}\"")),
    }
    let plan: Plan = match serde_json::from_value(json["plan"].take()) {
        Ok(plan) => plan,
        Err(error) => return bad(format!("the plan cannot be read: {}", safe(&error.to_string()))),
    };
    if !plan.is_as_made() {
        return bad("the changes of the plan were edited since it was made: make it again".to_owned());
    }
    Ok(plan)
}

fn access(change: &AccessChange) -> Value {
    json!({
        "principal": change.principal, "name": change.name, "foreign": change.foreign,
        "actions": change.actions, "how": change.how,
    })
}

fn finding(change: &FindingChange) -> Value {
    json!({
        "id": change.id, "control": change.control, "severity": change.severity.word(), "code": change.code,
        "resource": change.resource.id, "name": change.name, "reason": change.reason,
    })
}

fn lockout(lockout: &Lockout) -> Value {
    match lockout {
        Lockout::Safe { administrators } => json!({"safe": true, "administrators": administrators}),
        Lockout::Untouched => json!({"safe": true, "why": "the policy is not touched"}),
        Lockout::Refused { why } => json!({"safe": false, "why": why}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::preview_with;
    use crate::fix::propose::propose;
    use crate::fix::sample::{admins, at, context, finding, inventory};
    use crate::posture::Assessment;

    fn written() -> Vec<(Plan, String)> {
        let (inventory, context) = (inventory(&[admins()]), context());
        let plans = propose(&finding("CUS-KMS-06", "missing-right", &[]), &inventory, &context).unwrap();
        let write = |plan: Plan| {
            let preview = preview_with(&plan, &inventory, &context, &|_| Assessment::default()).unwrap();
            let json = serde_json::to_string_pretty(&to_json(&preview, &context.session, at(1000))).unwrap();
            (plan, json)
        };
        plans.into_iter().map(write).collect()
    }

    #[test]
    fn a_plan_comes_back_as_it_was() {
        let written = written();
        assert_eq!(written.len(), 2, "a statement and a grant");
        for (plan, text) in written {
            assert_eq!(parse(&text).unwrap(), plan);
            let json: Value = serde_json::from_str(&text).unwrap();
            let consequences = &json["consequences"];
            assert_eq!(consequences["gains"][0]["name"], "OrionTuner");
            assert_eq!(consequences["lockout"]["safe"], true);
            assert!(consequences["calls"][0].as_str().unwrap().starts_with("aws kms "));
            assert!(!consequences["undo"]["calls"].as_array().unwrap().is_empty());
            assert!(consequences["diff"].as_array().unwrap().iter().any(|l| l.as_str().unwrap().starts_with("+ ")));
        }
    }

    #[test]
    fn what_is_no_plan_or_was_edited_says_so() {
        let (_, text) = written().remove(0);
        let edited = text.replacen("kms:DescribeKey", "kms:*", 1).replacen("kms:Decrypt", "kms:*", 1);
        for (text, why) in [
            ("{".to_owned(), "no JSON"),
            ("{}".to_owned(), "this is no plan"),
            (text.replace("bedwatch.plan/1", "bedwatch.plan/9"), "make it again"),
            (text.replace("\"plan\": {", "\"plan\": [], \"x\": {"), "cannot be read"),
            (edited, "edited since"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
