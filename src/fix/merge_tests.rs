//! What others did since stays, whatever it is; what we did goes; where both did, nobody guesses.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fix::sample;

/// One statement of a made-up policy: who it is about, whether it has a Sid, which version of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    tag: u8,
    named: bool,
    version: u8,
}

const ADMINS: Line = Line { tag: 99, named: true, version: 0 };
const OURS: u8 = 50;

impl Line {
    fn json(self) -> Value {
        let mut statement = json!({"Sid": format!("S{}", self.tag), "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::123456789012:role/R{}", self.tag)},
            "Action": ["kms:Decrypt", format!("kms:V{}", self.version)], "Resource": "*"});
        if !self.named {
            statement.as_object_mut().unwrap().shift_remove("Sid");
        }
        statement
    }
}

fn policy(lines: &[Line]) -> Document {
    sample::policy(&lines.iter().map(|line| line.json()).collect::<Vec<_>>())
}

/// What the fix does.
#[derive(Debug, Clone, Copy)]
enum Fix {
    Add,
    Replace(u8),
    Remove(u8),
    ReplaceAndAdd(u8),
}

impl Fix {
    fn touches(self) -> Vec<u8> {
        match self {
            Self::Add => vec![OURS],
            Self::Replace(tag) | Self::Remove(tag) => vec![tag],
            Self::ReplaceAndAdd(tag) => vec![tag, OURS],
        }
    }

    fn on(self, lines: &[Line]) -> Vec<Line> {
        let mut lines = lines.to_vec();
        let own = Line { tag: OURS, named: true, version: 1 };
        if let Self::Replace(tag) | Self::ReplaceAndAdd(tag) = self {
            lines.iter_mut().filter(|line| line.tag == tag).for_each(|line| line.version = 200);
        }
        match self {
            Self::Add | Self::ReplaceAndAdd(_) => lines.push(own),
            Self::Remove(tag) => lines.retain(|line| line.tag != tag),
            Self::Replace(_) => {}
        }
        lines
    }
}

/// What somebody else does.
#[derive(Debug, Clone, Copy)]
enum Foreign {
    Add(Line, usize),
    Remove(u8),
    Change(u8, u8),
    ToEnd(u8),
}

impl Foreign {
    fn on(self, lines: &mut Vec<Line>, not: &[u8]) {
        match self {
            Self::Add(line, at) if !lines.iter().any(|held| held.tag == line.tag) => {
                lines.insert(at.min(lines.len()), line);
            }
            Self::Remove(tag) if !not.contains(&tag) => lines.retain(|line| line.tag != tag),
            Self::Change(tag, version) if !not.contains(&tag) => {
                lines.iter_mut().filter(|line| line.tag == tag).for_each(|line| line.version = version);
            }
            // Even ours may be moved: where a statement stands means nothing.
            Self::ToEnd(tag) => {
                if let Some(at) = lines.iter().position(|line| line.tag == tag) {
                    let line = lines.remove(at);
                    lines.push(line);
                }
            }
            _ => {}
        }
    }
}

fn any_lines() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::vec((any::<bool>(), 0u8..3), 1..5).prop_map(|lines| {
        let held = (0u8..).zip(lines).map(|(tag, (named, version))| Line { tag, named, version });
        held.chain([ADMINS]).collect()
    })
}

fn any_fix() -> impl Strategy<Value = Fix> {
    prop_oneof![
        Just(Fix::Add),
        (0u8..1).prop_map(Fix::Replace),
        (0u8..1).prop_map(Fix::Remove),
        (0u8..1).prop_map(Fix::ReplaceAndAdd),
    ]
}

fn any_edit() -> impl Strategy<Value = Foreign> {
    prop_oneof![
        (100u8..110, any::<bool>(), 0u8..3, 0usize..6)
            .prop_map(|(tag, named, version, at)| Foreign::Add(Line { tag, named, version }, at)),
        (0u8..5).prop_map(Foreign::Remove),
        (0u8..5, 10u8..13).prop_map(|(tag, version)| Foreign::Change(tag, version)),
        prop_oneof![0u8..5, Just(OURS), Just(ADMINS.tag)].prop_map(Foreign::ToEnd),
    ]
}

fn sorted(document: &Document) -> Vec<String> {
    let mut all: Vec<_> = Policy::read(document).unwrap().statements().iter().map(Value::to_string).collect();
    all.sort();
    all
}

proptest! {
    /// Taking ours out of what others edited leaves what others would have made of the original.
    #[test]
    fn foreign_edits_stay_and_ours_go(
        before in any_lines(), fix in any_fix(), edits in proptest::collection::vec(any_edit(), 0..8),
    ) {
        let left = fix.on(&before);
        let (mut now, mut wanted) = (left.clone(), before.clone());
        for edit in &edits {
            edit.on(&mut now, &fix.touches());
            edit.on(&mut wanted, &fix.touches());
        }
        let taken = take_out(&policy(&before), &policy(&left), &policy(&now)).unwrap();
        prop_assert_eq!(sorted(&taken.policy), sorted(&policy(&wanted)));
        prop_assert!(taken.gone.is_empty());
    }

    /// Whoever changed our statement too has the last word.
    #[test]
    fn ours_changed_is_refused(
        before in any_lines(), fix in prop_oneof![Just(Fix::Add), Just(Fix::Replace(0)), Just(Fix::ReplaceAndAdd(0))],
        edits in proptest::collection::vec(any_edit(), 0..4),
    ) {
        let left = fix.on(&before);
        let mut now = left.clone();
        for edit in &edits {
            edit.on(&mut now, &fix.touches());
        }
        Foreign::Change(fix.touches()[0], 77).on(&mut now, &[]);
        let error = take_out(&policy(&before), &policy(&left), &policy(&now)).unwrap_err();
        prop_assert!(matches!(&error, FixError::Unsupported(why) if why.contains("changed")), "{}", error);
    }
}

fn allow(sid: &str, action: &str) -> Value {
    sample::allow(sid, json!({"AWS": sample::TUNER}), json!(action))
}

fn out(before: &[Value], left: &[Value], now: &[Value]) -> Result<(Vec<Value>, Vec<String>), FixError> {
    let taken = take_out(&sample::policy(before), &sample::policy(left), &sample::policy(now))?;
    Ok((Policy::read(&taken.policy)?.statements().to_vec(), taken.gone))
}

#[test]
fn what_was_taken_out_goes_back_to_its_place() {
    let [a, b, c, d] = ["A", "B", "C", "D"].map(|sid| allow(sid, "kms:Decrypt"));
    let all = [a.clone(), b.clone(), c.clone()];
    let (now, _) = out(&all, &[a.clone(), c.clone()], &[d.clone(), a.clone(), c.clone()]).unwrap();
    assert_eq!(now, [d.clone(), a.clone(), b.clone(), c.clone()]);
    // The first goes to the front; behind one that has gone too, behind the one before that.
    let (now, _) = out(&all, &[b.clone(), c.clone()], &[d.clone(), c.clone()]).unwrap();
    assert_eq!(now, [a.clone(), d.clone(), c.clone()]);
    // Somebody has put it back already, or has used its name.
    let error = out(&all, &[a.clone(), c.clone()], &all).unwrap_err();
    assert!(matches!(error, FixError::Gone(_)), "{error}");
    let error = out(&all, &[a.clone(), c.clone()], &[a, allow("B", "kms:Sign"), c]).unwrap_err();
    assert!(error.to_string().contains("\"B\" was removed by this fix, and another statement has its Sid"), "{error}");
}

#[test]
fn what_has_gone_already_is_said() {
    let [a, own, other, new] = ["A", "Own", "Other", "New"].map(|sid| allow(sid, "kms:Decrypt"));
    let before = [a.clone()];
    let left = [a.clone(), own.clone(), other.clone()];
    let (now, gone) = out(&before, &left, &[a.clone(), other, new.clone()]).unwrap();
    assert_eq!(
        (now.as_slice(), gone.as_slice()),
        ([a.clone(), new.clone()].as_slice(), ["\"Own\"".to_owned()].as_slice())
    );
    assert!(matches!(out(&before, &left, &[a, new]), Err(FixError::Gone(_))));
}

#[test]
fn what_kms_rewrites_is_still_ours() {
    let own = allow("Own", "kms:Decrypt");
    let mut rewritten = own.clone();
    rewritten["Action"] = json!(["kms:Decrypt"]);
    rewritten["Principal"] = json!({"AWS": [sample::TUNER]});
    let a = allow("A", "kms:Sign");
    let (now, _) = out(std::slice::from_ref(&a), &[a.clone(), own], &[rewritten, a.clone()]).unwrap();
    assert_eq!(now, [a]);
}

#[test]
fn version_and_id_go_back_unless_somebody_changed_them_too() {
    let with = |id: &str, sid: &str| {
        Document::pretty(
            &json!({"Version": "2012-10-17", "Id": id, "Statement": [allow("A", "kms:Sign"), allow(sid, "kms:Sign")]}),
        )
    };
    let taken = take_out(&with("old", "B"), &with("ours", "B"), &with("ours", "C")).unwrap();
    assert_eq!(taken.policy, with("old", "C"));
    let error = take_out(&with("old", "B"), &with("ours", "B"), &with("theirs", "B")).unwrap_err();
    assert!(error.to_string().contains("'Id' of the policy"), "{error}");
}
