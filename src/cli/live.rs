//! A live session from the command line's target.

use super::Target;
use crate::aws::{Options, Session, WriteToken};
use crate::base::{Clock, Generation};
use crate::inventory::ReadError;

/// Connects and verifies with STS.
pub(super) async fn connect(target: &Target, write: Option<WriteToken>, clock: &Clock) -> Result<Session, ReadError> {
    Session::connect(&options(target, write), Generation(1), clock.clone()).await
}

/// Connects for reading what lies in buckets, and nothing else besides the usual reads; with `opinion`, for sending
/// text of it to Amazon Comprehend too.
pub(super) async fn connect_for_content(target: &Target, opinion: bool, clock: &Clock) -> Result<Session, ReadError> {
    let options = Options { content: true, opinion, ..options(target, None) };
    Session::connect(&options, Generation(1), clock.clone()).await
}

/// The SDK's options for a target.
pub(super) fn options(target: &Target, write: Option<WriteToken>) -> Options {
    Options {
        profile: target.profile.clone(),
        region: target.region.clone(),
        endpoint_url: target.endpoint_url.clone(),
        write,
        ..Options::default()
    }
}
