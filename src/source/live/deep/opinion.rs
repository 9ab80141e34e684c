//! A second opinion on training and validation data: the texts that the look kept are sent to Amazon Comprehend, as
//! far as the budget goes. What it could not be asked about is told by its two sources.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::limit;
use crate::aws::read::comprehend::{contains, detect};
use crate::content::mask::Masks;
use crate::content::opinion::{Samples, ask, compare};
use crate::inventory::objects::Content;
use crate::inventory::opinion::Opinion;
use crate::inventory::{ReadError, SourceId, SourceReport, Update};
use crate::source::live::reader::{Heard, Reader};

type S = SourceId;

/// The longest that one answer may take.
const ONE: Duration = Duration::from_mins(1);

/// How asking went over all prefixes.
#[derive(Default)]
pub(super) struct Asked(Mutex<Went>);

#[derive(Default)]
struct Went {
    whether: usize,
    places: usize,
    left_over: u64,
    failures: Vec<ReadError>,
}

/// What Comprehend says of the texts of one prefix, and how that stands to what we found in it.
pub(super) async fn of(reader: &Reader, samples: Samples, masks: &Masks, content: &Content, asked: &Asked) -> Opinion {
    let whether = |text: String| async move {
        reader.gate.call(S::CONTAINS_PII, ONE, Box::pin(contains(&reader.session, text))).await
    };
    let places = |text: String| async move {
        reader.gate.call(S::DETECT_PII, ONE, Box::pin(detect(&reader.session, text))).await
    };
    let mut opinion = ask(samples, masks, whether, places).await;
    compare(&mut opinion, |rule| content.rules.get(&rule.into()).copied().unwrap_or_default());
    let mut went = asked.0.lock().unwrap_or_else(PoisonError::into_inner);
    went.whether += usize::from(opinion.asked_whether > 0);
    went.places += usize::from(opinion.asked_where > 0);
    went.left_over += opinion.left_over;
    went.failures.extend(opinion.error.clone());
    opinion
}

/// Tells how its two sources went.
pub(super) async fn report(reader: &Reader, asked: &Asked, bytes: u64) {
    let went = std::mem::take(&mut *asked.0.lock().unwrap_or_else(PoisonError::into_inner));
    let of = |source: S| {
        let mine = went.failures.iter().filter(|error| error.operation == source.name());
        mine.cloned().collect::<Vec<_>>()
    };
    let mut whether = of(S::CONTAINS_PII);
    if went.left_over > 0 && went.failures.is_empty() {
        let what =
            format!("{} texts are beyond the {bytes} bytes that were to be sent (--comprehend-bytes)", went.left_over);
        whether.push(limit(S::CONTAINS_PII, what, reader.now()));
    }
    let refused = !of(S::CONTAINS_PII).is_empty() && went.whether == 0;
    let told = SourceReport::sum(S::CONTAINS_PII, reader.now(), went.whether, &whether);
    reader.tell(Heard::Update(Update::Source(told))).await;
    // Where it is was not asked at all if whether there is something could not be.
    if !refused {
        let told = SourceReport::sum(S::DETECT_PII, reader.now(), went.places, &of(S::DETECT_PII));
        reader.tell(Heard::Update(Update::Source(told))).await;
    }
}
