//! CUS-LOG-04: which key the log group of invocations is encrypted with.

use super::{group, group_ref, log_target};
use crate::inventory::SourceId;
use crate::inventory::kms::{Key, KeyState};
use crate::posture::catalogue::framework::{ATLAS, FEDRAMP, GDPR, HIPAA, NIST, OWASP, PCI, SRA};
use crate::posture::control::Control;
use crate::posture::encryption::metadata;
use crate::posture::judge::Judge;
use crate::posture::verdict::{Area, Severity, Verdict};

pub(in crate::posture) const LOG_04: Control = Control {
    id: "CUS-LOG-04",
    title: "Invocation log group encrypted with a customer managed key",
    severity: Severity::High,
    area: Area::Logging,
    what: "log groups of invocation logging",
    lists: &[SourceId::LOGGING],
    tables: &[SourceId::LOG_GROUPS],
    details: &[SourceId::KEYS],
    logic: "The log group that invocation logging writes to must exist and name a KMS key (kmsKeyId) that the customer \
            manages and that is enabled. Without one CloudWatch Logs uses a key of its own; a key that is not usable \
            makes prompts and answers unreadable.",
    reasons: &["group-missing", "no-cmk", "aws-managed-key", "key-unusable"],
    remediation: "Associate your key with the log group; its policy must let logs.REGION.amazonaws.com use it.",
    cli: "aws logs associate-kms-key --log-group-name GROUP --kms-key-id KEY",
    compliance: &[
        (NIST, &["AU-9(3)", "SC-28"]),
        (FEDRAMP, &["AU-9", "SC-28"]),
        (PCI, &["10.3.2", "3.5.1"]),
        (HIPAA, &["164.312(a)(2)(iv)"]),
        (GDPR, &["32"]),
        (OWASP, &["LLM02"]),
        (ATLAS, &["AML.M0012"]),
        (SRA, &["prev-cap"]),
    ],
    fixes: &[],
    evaluate: group_key,
};

fn group_key(judge: &Judge<'_>) -> Vec<Verdict> {
    let Some(target) = log_target(judge) else { return Vec::new() };
    let name = &target.log_group;
    let subject = judge.on(group_ref(name));
    let group = match group(judge, name) {
        Ok(Some(group)) => group,
        Ok(None) => {
            let why = format!("log group {name} does not exist: invocations that go there are lost");
            return vec![subject.shows("logGroupName", name).fail("group-missing", why)];
        }
        Err(why) => return vec![subject.unread(why)],
    };
    let Some(key) = &group.kms_key else {
        let why = format!("log group {name} has no KMS key: prompts lie under a key that AWS owns");
        return vec![subject.shows("logGroupName", name).shows("kmsKeyId", "none").fail("no-cmk", why)];
    };
    let metadata = match metadata(judge, key) {
        Ok(metadata) => metadata,
        Err(why) => return vec![subject.shows("kmsKeyId", key).undecided("unread", why)],
    };
    let label = judge.context.key(key).map_or(key.last(), Key::label);
    let draft = subject
        .shows("logGroupName", name)
        .shows("kmsKeyId", key)
        .shows("KeyManager", &metadata.manager)
        .shows("KeyState", &metadata.state);
    vec![if metadata.manager != "CUSTOMER" {
        draft.fail("aws-managed-key", format!("log group {name} is encrypted with {label}, which AWS manages"))
    } else if metadata.state != KeyState::Enabled {
        let why = format!("key {label} of log group {name} is {}: the log cannot be read", metadata.state);
        draft.fail("key-unusable", why)
    } else {
        draft.pass(format!("encrypted with the customer managed key {label}"))
    }]
}
