//! Which files lie under an import prefix: safetensors, and nothing that has to be unpickled.

use super::super::catalogue::framework::{ATLAS, FEDRAMP, HIPAA, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::verdict::{Area, Severity, Status};
use crate::content::rules::{self, Class, Rule};
use crate::inventory::SourceId;

pub(in crate::posture) const IMP_03: Control = Control {
    id: "CUS-IMP-03",
    title: "Import source holds Safetensors weights only",
    severity: Severity::Critical,
    area: Area::Import,
    what: "weights that are imported",
    lists: super::WEIGHTS,
    tables: &[],
    details: &[SourceId::CONTENT],
    logic: "Every file under the import prefix is told by its first bytes, then by its name. Pickles (their opcodes \
            are read, nothing is loaded) and weights in other formats fail; there must be a safetensors file, and \
            every shard that an index names. Settings that import refuses or ignores are a warning. A completed job \
            says nothing of the format's safety.",
    reasons: &["pickle", "other-format", "shards", "no-safetensors", "settings"],
    remediation: "Convert the weights to safetensors in a sandbox, upload only those, and import again. Treat a \
                  machine that loaded a dangerous pickle as compromised.",
    cli: "aws s3 rm s3://BUCKET/PREFIX/pytorch_model.bin",
    compliance: &[
        (NIST, &["SI-3", "SR-11", "SI-7"]),
        (FEDRAMP, &["SI-3", "SR-11", "SI-7"]),
        (PCI, &["6.3.2"]),
        (HIPAA, &["164.308(a)(5)(ii)(B)"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0011.000", "AML.T0010.003", "AML.M0011", "AML.M0014"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: |judge| super::weights(judge, sort, "safetensors files and their settings, nothing else to load"),
};

fn sort(rule: &'static Rule) -> Option<(&'static str, Status)> {
    if rule.control != IMP_03.id {
        return None;
    }
    let pickles = [&rules::PICKLE, &rules::PICKLE_DANGEROUS, &rules::PICKLE_UNKNOWN, &rules::PICKLE_BROKEN];
    Some(match rule {
        _ if pickles.contains(&rule) => ("pickle", Status::Fail),
        _ if rule == &rules::WEIGHTS_FORMAT => ("other-format", Status::Fail),
        _ if rule == &rules::NO_WEIGHTS => ("no-safetensors", Status::Fail),
        _ if rule.class == Class::Import => ("settings", Status::Warn),
        _ => ("shards", Status::Fail),
    })
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::content::rules::RULES;
    use crate::inventory::Inventory;
    use crate::posture::Severity;
    use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown, Warn};
    use crate::posture::fixtures::deep::{WEIGHTS, content, find};
    use crate::posture::fixtures::*;

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[formats];

    const C: &str = "CUS-IMP-03";
    const W: &str = "weights";

    #[test]
    fn formats() {
        expect(C, "safetensors", |_| {}, &[(W, Pass, "ok")]);
        for (rule, status, code) in [
            ("artefact-pickle", Fail, "pickle"),
            ("artefact-pickle-dangerous", Fail, "pickle"),
            ("artefact-pickle-unknown-import", Fail, "pickle"),
            ("artefact-pickle-broken", Fail, "pickle"),
            ("artefact-weights-format", Fail, "other-format"),
            ("artefact-shard-missing", Fail, "shards"),
            ("artefact-index-broken", Fail, "shards"),
            ("artefact-no-safetensors", Fail, "no-safetensors"),
            ("import-config-missing", Warn, "settings"),
            ("import-architecture", Warn, "settings"),
        ] {
            expect(C, rule, |i| find(i, WEIGHTS, rule, 1), &[(W, status, code)]);
        }
        expect(C, "code is another control's", |i| find(i, WEIGHTS, "artefact-code-file", 1), &[(W, Pass, "ok")]);
    }

    #[test]
    fn what_lies_there_is_all_that_counts() {
        let gone = |i: &mut Inventory| {
            i.data.get_mut(WEIGHTS).and_then(|data| data.listing.known_mut()).unwrap().objects = 0;
        };
        expect(C, "taken away after the import", gone, &[(W, NotApplicable, "not-applicable")]);
        let unread = |i: &mut Inventory| {
            content(i, WEIGHTS).unread = vec![("model.bin".into(), "s3:GetObject denied".into())];
        };
        expect(C, "one file was not read", unread, &[(W, Unknown, "unread")]);
    }

    #[test]
    fn a_dangerous_pickle_is_critical() {
        let mut inventory = healthy();
        find(&mut inventory, WEIGHTS, "artefact-pickle", 1);
        find(&mut inventory, WEIGHTS, "artefact-pickle-dangerous", 1);
        let said = verdicts(&inventory, C);
        assert_eq!((said.len(), said[0].severity), (1, Severity::Critical));
    }

    /// Every rule of artefacts belongs to exactly one of these controls.
    #[test]
    fn every_rule_of_artefacts_is_some_controls() {
        for rule in RULES.iter().filter(|rule| rule.control != "CUS-DAT-09") {
            let mut inventory = healthy();
            find(&mut inventory, WEIGHTS, rule.id, 1);
            let finds: Vec<_> = ["CUS-IMP-03", "CUS-IMP-04", "CUS-IMP-05"]
                .into_iter()
                .filter(|control| verdicts(&inventory, control).iter().any(|verdict| verdict.status.is_finding()))
                .collect();
            assert_eq!(finds, [rule.control], "{}", rule.id);
        }
    }
}
