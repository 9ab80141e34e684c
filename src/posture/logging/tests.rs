//! Tables for the controls of logging: pass, every way to fail, unknown, not applicable.

use crate::inventory::SourceId;
use crate::posture::Status::{Fail, NotApplicable, Pass, Unknown};
use crate::posture::fixtures::*;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[invocation_logging];

#[test]
fn invocation_logging() {
    let c = "CUS-LOG-01";
    expect(c, "to S3", |_| {}, &[("us-east-1", Pass, "ok")]);
    expect(c, "off", |i| i.logging = got(None), &[("us-east-1", Fail, "logging-off")]);
    let config = |i: &mut crate::inventory::Inventory,
                  change: fn(&mut crate::inventory::bedrock::LoggingConfiguration)| {
        change(i.logging.known_mut().and_then(Option::as_mut).unwrap());
    };
    expect(c, "nowhere to", |i| config(i, |l| l.s3 = None), &[("us-east-1", Fail, "logging-off")]);
    expect(c, "of nothing", |i| config(i, |l| l.text = false), &[("us-east-1", Fail, "logging-off")]);
    expect(c, "denied", |i| deny(i, SourceId::LOGGING), &[("us-east-1", Unknown, "unread")]);
    let bare = |i: &mut crate::inventory::Inventory| {
        i.logging = got(None);
        i.models.clear();
        i.imported_models.clear();
        i.deployments.clear();
    };
    expect(c, "off, and nothing is served", bare, &[("us-east-1", NotApplicable, "not-applicable")]);
    let blind = |i: &mut crate::inventory::Inventory| {
        bare(i);
        deny(i, SourceId::DEPLOYMENTS);
    };
    expect(c, "off, and who knows what is served", blind, &[("us-east-1", Unknown, "unread")]);
    expect(c, "on, whatever is served", |i| deny(i, SourceId::MODELS), &[("us-east-1", Pass, "ok")]);
}
