//! Whether safetensors files are what their names say.

use super::super::catalogue::framework::{ATLAS, FEDRAMP, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::verdict::{Area, Severity, Status};
use crate::content::rules::{self, Rule};
use crate::inventory::SourceId;

pub(in crate::posture) const IMP_04: Control = Control {
    id: "CUS-IMP-04",
    title: "Safetensors files are what they claim",
    severity: Severity::Critical,
    area: Area::Import,
    what: "weights that are imported",
    lists: super::WEIGHTS,
    tables: &[],
    details: &[SourceId::CONTENT],
    logic: "Headers are read by range. A file that is called safetensors must begin with a possible length and a JSON \
            object, without a key twice; every tensor must have a known type and exactly its bytes; they must follow \
            each other without overlap or hole up to the end of the file. What hides behind or between them, another \
            format under this name, and shards that contradict their index fail. So do archives that are built to \
            be misread.",
    reasons: &["not-safetensors", "header", "tensors", "hidden-bytes", "shards", "archive"],
    remediation: "Do not import the file. Get it again from its source, compare the digest, and find out who wrote it.",
    cli: "aws s3api put-object-tagging --bucket BUCKET --key KEY --tagging 'TagSet=[{Key=quarantine,Value=true}]'",
    compliance: &[
        (NIST, &["SI-7", "SI-3", "SI-10"]),
        (FEDRAMP, &["SI-7", "SI-3", "SI-10"]),
        (PCI, &["6.3.2"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.T0018.002", "AML.T0011.000", "AML.M0014"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: |judge| super::weights(judge, sort, "every safetensors file holds tensors and nothing else"),
};

fn sort(rule: &'static Rule) -> Option<(&'static str, Status)> {
    if rule.control != IMP_04.id {
        return None;
    }
    let of = |rules: &[&Rule]| rules.contains(&rule);
    let code = match () {
        () if of(&[&rules::NOT_SAFETENSORS]) => "not-safetensors",
        () if of(&[&rules::TENSOR_HOLE, &rules::TRAILING]) => "hidden-bytes",
        () if of(&[&rules::SHARD_MISMATCH, &rules::SHARD_PATH]) => "shards",
        () if of(&[&rules::ARCHIVE_BROKEN, &rules::ARCHIVE_BOMB]) => "archive",
        () if of(&[&rules::TENSOR_DTYPE, &rules::TENSOR_SIZE, &rules::TENSOR_OVERLAP, &rules::TRUNCATED]) => "tensors",
        () => "header",
    };
    Some((code, Status::Fail))
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::posture::Status::{Fail, Pass};
    use crate::posture::fixtures::deep::{WEIGHTS, find};
    use crate::posture::fixtures::*;

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[structures];

    const C: &str = "CUS-IMP-04";
    const W: &str = "weights";

    #[test]
    fn structures() {
        expect(C, "sound", |_| {}, &[(W, Pass, "ok")]);
        for (rule, code) in [
            ("artefact-not-safetensors", "not-safetensors"),
            ("artefact-header-length", "header"),
            ("artefact-header-json", "header"),
            ("artefact-header-key-twice", "header"),
            ("artefact-metadata-type", "header"),
            ("artefact-tensor-dtype", "tensors"),
            ("artefact-tensor-overlap", "tensors"),
            ("artefact-truncated", "tensors"),
            ("artefact-tensor-hole", "hidden-bytes"),
            ("artefact-trailing-bytes", "hidden-bytes"),
            ("artefact-shard-mismatch", "shards"),
            ("artefact-shard-path", "shards"),
            ("artefact-archive-bomb", "archive"),
        ] {
            expect(C, rule, |i| find(i, WEIGHTS, rule, 1), &[(W, Fail, code)]);
        }
        expect(C, "formats are another control's", |i| find(i, WEIGHTS, "artefact-pickle", 1), &[(W, Pass, "ok")]);
    }
}
