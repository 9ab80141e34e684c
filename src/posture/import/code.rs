//! Code that rides along with weights.

use super::super::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::verdict::{Area, Severity, Status};
use crate::content::rules::{self, Rule};
use crate::inventory::SourceId;

pub(in crate::posture) const IMP_05: Control = Control {
    id: "CUS-IMP-05",
    title: "No code rides along with the weights",
    severity: Severity::High,
    area: Area::Import,
    what: "weights that are imported",
    lists: super::WEIGHTS,
    tables: &[],
    details: &[SourceId::CONTENT],
    logic: "Source code, programs and archives under the import prefix fail; so do settings that name code to load \
            (auto_map) or trust remote code, and chat templates that reach for Python internals or carry hidden or \
            overriding text. Templates that answer to words in a message, and added tokens with control characters or \
            instructions, are a warning.",
    reasons: &[
        "code-file",
        "executable",
        "archive",
        "remote-code",
        "template-code",
        "template-text",
        "template-trigger",
        "token-text",
    ],
    remediation: "Remove the file or the setting and upload again: an imported model needs no code.",
    cli: "aws s3 rm s3://BUCKET/PREFIX/modeling.py",
    compliance: &[
        (NIST, &["SI-3", "CM-7", "SR-11"]),
        (FEDRAMP, &["SI-3", "CM-7", "SR-11"]),
        (PCI, &["6.3.2"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0010.003", "AML.T0011.000", "AML.M0011"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: |judge| super::weights(judge, sort, "no code, no archive, no setting that loads one"),
};

fn sort(rule: &'static Rule) -> Option<(&'static str, Status)> {
    if rule.control != IMP_05.id {
        return None;
    }
    let of = |rules: &[&Rule]| rules.contains(&rule);
    Some(match () {
        () if of(&[&rules::EXECUTABLE]) => ("executable", Status::Fail),
        () if of(&[&rules::ARCHIVE]) => ("archive", Status::Fail),
        () if of(&[&rules::AUTO_MAP, &rules::TRUST_REMOTE_CODE]) => ("remote-code", Status::Fail),
        () if of(&[&rules::TEMPLATE_CODE]) => ("template-code", Status::Fail),
        () if of(&[&rules::TEMPLATE_TEXT]) => ("template-text", Status::Fail),
        () if of(&[&rules::TEMPLATE_TRIGGER]) => ("template-trigger", Status::Warn),
        () if of(&[&rules::TOKEN_TEXT]) => ("token-text", Status::Warn),
        () => ("code-file", Status::Fail),
    })
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::posture::Status::{Fail, Pass, Warn};
    use crate::posture::fixtures::deep::{WEIGHTS, find};
    use crate::posture::fixtures::*;

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[code];

    const C: &str = "CUS-IMP-05";
    const W: &str = "weights";

    #[test]
    fn code() {
        expect(C, "weights alone", |_| {}, &[(W, Pass, "ok")]);
        for (rule, status, code) in [
            ("artefact-code-file", Fail, "code-file"),
            ("artefact-executable", Fail, "executable"),
            ("artefact-archive", Fail, "archive"),
            ("artefact-auto-map", Fail, "remote-code"),
            ("artefact-trust-remote-code", Fail, "remote-code"),
            ("artefact-template-code", Fail, "template-code"),
            ("artefact-template-text", Fail, "template-text"),
            ("artefact-template-trigger", Warn, "template-trigger"),
            ("artefact-token-text", Warn, "token-text"),
        ] {
            expect(C, rule, |i| find(i, WEIGHTS, rule, 1), &[(W, status, code)]);
        }
        let both = |i: &mut crate::inventory::Inventory| {
            find(i, WEIGHTS, "artefact-auto-map", 1);
            find(i, WEIGHTS, "artefact-code-file", 2);
        };
        expect(C, "two", both, &[(W, Fail, "code-file"), (W, Fail, "remote-code")]);
        expect(C, "pickles are another control's", |i| find(i, WEIGHTS, "artefact-pickle", 1), &[(W, Pass, "ok")]);
    }
}
