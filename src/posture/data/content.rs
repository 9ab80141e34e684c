//! What training and validation data holds: secrets, personal data, planted instructions.

use super::super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::judge::{Judge, Problem, listed};
use super::super::looked;
use super::super::verdict::{Area, Severity, Status, Verdict};
use crate::base::Text;
use crate::content::opinion::GRAVE;
use crate::content::rules::{self, Class, Rule};
use crate::inventory::SourceId;
use crate::inventory::objects::{Content, Dataset, Listing, Purpose};
use crate::inventory::opinion::Opinion;

pub(in crate::posture) const DAT_09: Control = Control {
    id: "CUS-DAT-09",
    title: "Dataset content carries no secrets, PII or planted instructions",
    severity: Severity::High,
    area: Area::Data,
    what: "training and validation data",
    lists: &[SourceId::JOBS, SourceId::JOB_DETAILS, SourceId::OBJECTS],
    tables: &[],
    details: &[SourceId::CONTENT],
    logic: "Every object of training and validation data is streamed through bedwatch's own engine: secrets by known \
            format and by entropy, personal data with check digits, instructions and jailbreak wording, characters \
            that a reader does not see, phrases that decide the answer. Each class that is found fails, as bad as the \
            worst of its rules; rules of low severity alone are a warning. So are broken records, questions with \
            two answers, and repeated records when they are a hundredth or more. Nothing leaves the host, unless a \
            second opinion is asked for (--comprehend): what names a person or opens a door and only Amazon Comprehend \
            found is a warning; that it found nothing takes no finding away.",
    reasons: &["secret", "pii", "instruction", "hidden", "trigger", "duplicate", "schema", "second-opinion"],
    remediation: "Revoke what is secret first. Make a cleaned copy of the data, look at it, upload it as a new version \
                  and train again; a trained model can repeat what it has seen.",
    cli: "aws s3 cp s3://BUCKET/KEY DATA.jsonl && bedwatch data scan DATA.jsonl",
    compliance: &[
        (NIST, &["SI-10", "SI-3", "PT-2"]),
        (FEDRAMP, &["SI-10", "SI-3"]),
        (PCI, &["3.2.1"]),
        (HIPAA, &["164.514"]),
        (GDPR, &["5(1)(c)"]),
        (OWASP, &["LLM04", "LLM02", "LLM01"]),
        (ATLAS, &["AML.T0020", "AML.T0043.004", "AML.M0007"]),
        (SRA, &["CONS"]),
    ],
    fixes: &[],
    evaluate: content,
};

/// Hits of a second opinion that are shown as evidence.
const SHOWN: usize = 6;
const INPUTS: &[Purpose] = &[Purpose::Training, Purpose::Prompts, Purpose::Validation];

fn content(judge: &Judge<'_>) -> Vec<Verdict> {
    looked::of(judge, INPUTS)
        .flat_map(|data| match (looked::listing(judge, data), looked::content(judge, data)) {
            (Ok(listing), Ok(content)) => one(judge, data, listing, content),
            (Err(verdict), _) | (_, Err(verdict)) => vec![verdict],
        })
        .collect()
}

fn one(judge: &Judge<'_>, data: &Dataset, listing: &Listing, content: &Content) -> Vec<Verdict> {
    // why: logged prompts are no records of training data, and the same question comes again and again.
    let sort = if data.is_for(Purpose::Prompts) { of_prompts } else { of_records };
    let mut problems = looked::problems(content, &format!("{} holds", data.uri), sort);
    let count = |rule: &Rule| content.rules.get(&rule.id.into()).copied().unwrap_or_default();
    if count(&rules::REPEATED_RECORD) * 100 < content.records && count(&rules::CONFLICTING_ANSWER) == 0 {
        problems.retain(|problem| problem.code != "duplicate");
    }
    let mut draft = looked::on(judge, data).shows("holds", data.words()).shows("records", content.records);
    if let Some(opinion) = &content.opinion {
        draft = draft.shows("Comprehend", opinion.counted()).shows("compared", opinion.compared());
        if opinion.left_over > 0 {
            draft = draft.shows("notSent", format!("{} texts", opinion.left_over));
        }
        problems.extend(second(data, opinion));
        // why: it was asked for, and what it would have said is not known.
        if let (true, Some(error)) = (problems.is_empty(), &opinion.error) {
            return vec![draft.undecided("unread", error)];
        }
    }
    let right = format!("nothing was found in {} records", content.records);
    looked::conclude(draft, content, listing, problems, &right)
}

/// What only the second opinion has found, as far as it is grave.
fn second(data: &Dataset, opinion: &Opinion) -> Option<Problem> {
    let grave = |kind: &&Text| GRAVE.contains(&kind.as_str()) && !opinion.agreed.contains(*kind);
    let kinds: Vec<&Text> = opinion.entities.keys().filter(grave).collect();
    if kinds.is_empty() {
        return None;
    }
    let why = format!("{} holds, as only Amazon Comprehend says: {}", data.uri, listed(&kinds));
    let hits = opinion.hits.iter().filter(|hit| kinds.contains(&&hit.rule)).take(SHOWN);
    Some(hits.fold(Problem::warn("second-opinion", why), |problem, hit| {
        problem.shows("found", format!("{}: {} {} {}", hit.place(), hit.rule, hit.shown, hit.digest))
    }))
}

fn of_prompts(rule: &'static Rule) -> Option<(&'static str, Status)> {
    of_records(rule).filter(|_| !matches!(rule.class, Class::Schema | Class::Duplicate | Class::Trigger))
}

fn of_records(rule: &'static Rule) -> Option<(&'static str, Status)> {
    let code = match rule.class {
        Class::Secret => "secret",
        Class::Pii => "pii",
        Class::Instruction => "instruction",
        Class::Hidden => "hidden",
        Class::Trigger => "trigger",
        Class::Duplicate => "duplicate",
        Class::Schema => "schema",
        Class::Structure | Class::Code | Class::Import => return None,
    };
    let weak = matches!(rule.class, Class::Duplicate | Class::Schema) || rule.severity == Severity::Low;
    Some((code, if weak { Status::Warn } else { Status::Fail }))
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::inventory::Inventory;
    use crate::inventory::objects::Purpose;
    use crate::posture::Severity;
    use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
    use crate::posture::fixtures::deep::{DATA, content, expect, find};
    use crate::posture::fixtures::{self, *};

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[classes, a_second_opinion];

    const C: &str = "CUS-DAT-09";
    const A: &str = "a.jsonl";

    #[test]
    fn a_second_opinion() {
        use crate::inventory::opinion::Opinion;
        use crate::inventory::{ErrorKind, ReadError};
        let says = |kind: &str| Opinion { entities: [(kind.into(), 2)].into(), ..Opinion::default() };
        let asked = |i: &mut Inventory, opinion| content(i, DATA).opinion = Some(opinion);
        expect(C, "nothing either", |i| asked(i, Opinion::default()), &[(A, Pass, "ok")]);
        expect(C, "names are evidence", |i| asked(i, says("NAME")), &[(A, Pass, "ok")]);
        expect(C, "a passport is not", |i| asked(i, says("PASSPORT_NUMBER")), &[(A, Warn, "second-opinion")]);
        let both = |i: &mut Inventory| {
            find(i, DATA, "pii-card", 1);
            asked(i, Opinion { agreed: ["CREDIT_DEBIT_NUMBER".into()].into(), ..says("CREDIT_DEBIT_NUMBER") });
        };
        expect(C, "both", both, &[(A, Fail, "pii")]);
        let theirs_is_clean = |i: &mut Inventory| {
            find(i, DATA, "pii-card", 1);
            asked(i, Opinion { only_ours: ["pii-card".into()].into(), ..Opinion::default() });
        };
        expect(C, "it takes no finding away", theirs_is_clean, &[(A, Fail, "pii")]);
        let operation = "comprehend:ContainsPiiEntities".to_owned();
        let error = ReadError { operation, kind: ErrorKind::Denied, message: "no".into(), at: now() };
        let refused = |i: &mut Inventory| asked(i, Opinion { error: Some(error.clone()), ..Opinion::default() });
        expect(C, "it could not be asked", refused, &[(A, Unknown, "unread")]);
    }

    #[test]
    fn classes() {
        expect(C, "nothing", |_| {}, &[(A, Pass, "ok")]);
        for (rule, status, code) in [
            ("secret-private-key", Fail, "secret"),
            ("secret-high-entropy", Warn, "secret"),
            ("pii-card", Fail, "pii"),
            ("pii-email-example", Warn, "pii"),
            ("instruction-override", Fail, "instruction"),
            ("hidden-bidi", Fail, "hidden"),
            ("trigger-phrase", Fail, "trigger"),
            ("duplicate-conflict", Warn, "duplicate"),
            ("duplicate-record", Warn, "duplicate"),
            ("schema-json", Warn, "schema"),
        ] {
            expect(C, rule, |i| find(i, DATA, rule, 3), &[(A, status, code)]);
        }
        let few = |i: &mut Inventory| {
            content(i, DATA).records = 1000;
            find(i, DATA, "duplicate-record", 3);
        };
        expect(C, "three of a thousand", few, &[(A, Pass, "ok")]);
        expect(C, "a rule of another version", |i| find(i, DATA, "future-rule", 1), &[(A, Pass, "ok")]);
        expect(C, "weights are another control's", |i| find(i, DATA, "artefact-pickle", 1), &[(A, Pass, "ok")]);
    }

    #[test]
    fn what_was_not_read_is_no_pass_and_hides_no_finding() {
        let cut = |i: &mut Inventory| {
            let content = content(i, DATA);
            content.unread = vec![("a.jsonl".into(), "reading stopped at the limit".into())];
            content.unread_objects = 2;
        };
        expect(C, "not whole", cut, &[(A, Unknown, "unread")]);
        let both = |i: &mut Inventory| {
            cut(i);
            find(i, DATA, "pii-iban", 1);
        };
        expect(C, "not whole, and found", both, &[(A, Fail, "pii")]);
        let more = |i: &mut Inventory| {
            i.data.get_mut(DATA).and_then(|data| data.listing.known_mut()).unwrap().truncated = true;
        };
        expect(C, "more objects", more, &[(A, Unknown, "unread")]);
        let gone = |i: &mut Inventory| {
            i.data.get_mut(DATA).and_then(|data| data.listing.known_mut()).unwrap().objects = 0;
        };
        expect(C, "gone", gone, &[(A, NotApplicable, "not-applicable")]);
    }

    #[test]
    fn the_worst_rule_grades_and_evidence_is_masked() {
        let mut inventory = healthy();
        fixtures::deep::plain(&mut inventory);
        find(&mut inventory, DATA, "secret-assigned", 2);
        find(&mut inventory, DATA, "secret-private-key", 1);
        let said = verdicts(&inventory, C);
        assert_eq!((said.len(), said[0].severity), (1, Severity::Critical));
        assert!(said[0].reason.as_str().contains("private key, first at a.jsonl line 7 prompt"), "{}", said[0].reason);
        assert!(said[0].evidence.iter().any(|fact| fact.value.as_str().contains("AKIA… (20 characters)")));
        assert!(said[0].related.iter().any(|user| user.id == *JOB), "{:?}", said[0].related);
    }

    #[test]
    fn logged_prompts_are_no_records() {
        let of_prompts = |rule: &'static str| {
            move |i: &mut Inventory| {
                i.data.get_mut(DATA).unwrap().purposes = deep::purposes(&[Purpose::Training, Purpose::Prompts]);
                find(i, DATA, rule, 9);
            }
        };
        expect(C, "shape", of_prompts("schema-unknown-shape"), &[(A, Pass, "ok")]);
        expect(C, "again", of_prompts("duplicate-record"), &[(A, Pass, "ok")]);
        expect(C, "secret", of_prompts("secret-jwt"), &[(A, Fail, "secret")]);
    }
}
