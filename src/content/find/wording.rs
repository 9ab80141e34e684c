//! Instructions that override others: verb, scope and object close together; and fixed wordings.
//! What is shown is made of the words of the table, never of the text.

use std::sync::LazyLock;

use super::literals::Literals;
use super::words::{PHRASES, Part, WORDS};
use super::{Anchor, Sink, View, begins_word, ends_word};
use crate::content::rules::OVERRIDE;

/// Bytes between verb and scope, and between scope and object.
const NEAR: usize = 28;

/// A scope that followed a verb.
#[derive(Clone, Copy)]
struct Aimed {
    from: usize,
    scope_end: usize,
    /// Where the scope ended before it grew: "your system prompt" is a scope and an object that overlap.
    before: usize,
    strong: bool,
}

static PARTS: LazyLock<Literals> =
    LazyLock::new(|| Literals::new(&WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>()));

/// Finds them.
pub(super) fn find(view: &View<'_>, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    let mut verb = None;
    for (anchor, range) in view.anchors() {
        match anchor {
            Anchor::Phrase(number) => {
                let Some(phrase) = PHRASES.get(number) else { continue };
                let right_case = phrase.exact.is_none_or(|exact| view.text[range.clone()].contains(exact));
                let bounded = begins_word(bytes, range.start) && ends_word(bytes, range.end);
                let marked = !phrase.text.starts_with(|c: char| c.is_ascii_alphanumeric());
                if right_case && (bounded || marked) {
                    sink.note(phrase.rule, range, phrase.text.to_owned());
                }
            }
            Anchor::Verb if begins_word(bytes, range.start) => verb = verb.or(Some(range.start)),
            _ => {}
        }
    }
    // why only then: "all" and "your" stand in every text, and mean nothing before a verb.
    if let Some(verb) = verb {
        overrides(view, verb, sink);
    }
}

/// Verb, scope and object, from the first verb on.
fn overrides(view: &View<'_>, from: usize, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    let mut seen = Vec::new();
    PARTS.scan(&bytes[from..], &mut seen);
    let (mut verb, mut aimed): (Option<(usize, usize)>, Option<Aimed>) = (None, None);
    for seen in seen {
        let Some((word, part)) = WORDS.get(usize::from(seen.literal)) else { continue };
        let end = from + seen.end as usize;
        let range = end - word.len()..end;
        match *part {
            Part::Verb if begins_word(bytes, range.start) => {
                (verb, aimed) = (Some((range.start, range.end)), None);
            }
            part @ (Part::Strong | Part::Weak) if begins_word(bytes, range.start) && ends_word(bytes, range.end) => {
                let strong = part == Part::Strong;
                if let Some(known) = aimed
                    && near(bytes, known.scope_end, range.start)
                {
                    // "all of the previous": the scope grows.
                    let before = known.scope_end;
                    aimed = Some(Aimed { scope_end: range.end, before, strong: strong || known.strong, ..known });
                } else if let Some((from, end)) = verb
                    && near(bytes, end, range.start)
                {
                    aimed = Some(Aimed { from, scope_end: range.end, before: range.end, strong });
                }
            }
            part @ (Part::Strict | Part::Loose) => {
                if let Some(aim) = aimed
                    && begins_word(bytes, range.start)
                    && (near(bytes, aim.scope_end, range.start) || near(bytes, aim.before, range.start))
                    && (aim.strong || part == Part::Strict)
                {
                    sink.note(&OVERRIDE, aim.from..range.end, shown(view, aim.from, range.end));
                    (verb, aimed) = (None, None);
                }
            }
            _ => {}
        }
    }
}

/// Close, and in the same sentence.
fn near(bytes: &[u8], end: usize, start: usize) -> bool {
    start >= end && start - end <= NEAR && !bytes[end..start].iter().any(|b| matches!(b, b'.' | b'!' | b'?' | b';'))
}

/// The words of the table that lie there.
fn shown(view: &View<'_>, from: usize, to: usize) -> String {
    let lower = view.text.get(from..to).unwrap_or_default().to_ascii_lowercase();
    let mut words: Vec<(usize, &str)> = WORDS
        .iter()
        .filter_map(|(word, _)| Some((lower.find(word)?, *word)))
        .filter(|(at, word)| {
            begins_word(lower.as_bytes(), *at) && (word.len() > 4 || ends_word(lower.as_bytes(), at + word.len()))
        })
        .collect();
    words.sort_unstable();
    words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" … ")
}
