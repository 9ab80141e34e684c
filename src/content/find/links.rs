//! Markdown images and links whose URL carries data away (detection D62).

use super::{Anchor, Sink, View};
use crate::content::rules::MARKDOWN_EXFIL;

/// A link's query is long enough to carry something away from here on; an image is fetched without a click, so
/// any query of an image counts.
const LONG: usize = 64;

/// No address is followed further than this.
const LONGEST: usize = 2048;

/// Finds them.
pub(super) fn find(view: &View<'_>, sink: &mut Sink<'_>) {
    let bytes = view.bytes();
    // why kept: where links stand within each other, one end is the end of them all.
    let mut end = 0;
    for (anchor, middle) in view.anchors() {
        let Anchor::Link = anchor else { continue };
        let url = middle.start + 2;
        end = end.max(url);
        let most = bytes.len().min(url + LONGEST);
        end += bytes[end.min(most)..most].iter().take_while(|b| !matches!(b, b')' | b' ' | b'\n' | b'"')).count();
        let Some(address) = view.text.get(url..view.text.floor_char_boundary(end)) else { continue };
        let Some((_, query)) = address.split_once('?') else { continue };
        // The bracket that opens the text, and what stands before it.
        let open = bytes[..middle.start].iter().rev().take(512).position(|byte| *byte == b'[');
        let image = open.is_some_and(|back| middle.start >= back + 2 && bytes[middle.start - back - 2] == b'!');
        if query.contains('=') && (image || query.len() >= LONG) {
            let what = if image { "an image" } else { "a link" };
            sink.note(&MARKDOWN_EXFIL, url..end, format!("{what} with {} characters of query", query.len()));
        }
    }
}
