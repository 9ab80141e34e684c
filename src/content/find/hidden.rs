//! Characters that act or hide instead of being read: bidirectional controls, zero-width characters inside words,
//! tag characters, runs of variation selectors, control characters. One hit of each kind a text, with its count.

use super::{Sink, View, hidden_in};
use crate::content::rules::{BIDI, CONTROLS, Rule, SELECTORS, TAGS, ZERO_WIDTH};

#[derive(Default)]
struct Kind {
    count: u64,
    first: Option<(usize, char)>,
}

impl Kind {
    fn see(&mut self, at: usize, c: char) {
        self.count += 1;
        self.first.get_or_insert((at, c));
    }
}

/// Finds them.
pub(super) fn find(view: &View<'_>, sink: &mut Sink<'_>) {
    let (mut bidi, mut zero, mut tags, mut selectors, mut controls) =
        (Kind::default(), Kind::default(), Kind::default(), Kind::default(), Kind::default());
    let mut spelled = String::new();
    let (mut before, mut run, mut flag) = (None::<char>, 0u32, false);
    let mut chars = view.text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                // Marks stand where right-to-left text needs them; overrides and isolates do not.
                let mark = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}');
                let near = [before, chars.peek().map(|(_, c)| *c)];
                if !mark || near.iter().flatten().all(char::is_ascii) {
                    bidi.see(at, c);
                }
            }
            '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{180e}' | '\u{feff}' | '\u{ad}' | '\u{34f}' => {
                // Joiners belong to Persian, Indic scripts and emoji: only between plain letters they hide.
                let plain = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                let after = chars.peek().map(|(_, c)| *c);
                let hides = match c {
                    '\u{200c}' | '\u{200d}' | '\u{ad}' => plain(before) && plain(after),
                    '\u{feff}' => at > 0,
                    _ => true,
                };
                if hides {
                    zero.see(at, c);
                }
            }
            '\u{e0000}'..='\u{e007f}' => {
                // England, Scotland and Wales are a black flag and tags.
                flag |= before == Some('\u{1f3f4}');
                if !flag {
                    tags.see(at, c);
                    if let Some(letter) = char::from_u32(c as u32 - 0xe0000).filter(|_| spelled.len() < 4096) {
                        spelled.push(letter);
                    }
                }
            }
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
                run += 1;
                if run == 4 {
                    selectors.see(at, c);
                }
            }
            '\t' | '\n' | '\r' => {}
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => controls.see(at, c),
            _ => {}
        }
        if !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}') {
            run = 0;
        }
        flag &= matches!(c, '\u{e0000}'..='\u{e007f}');
        before = Some(c);
    }
    let secret = if spelled.is_empty() { None } else { hidden_in(&spelled, sink.masks).into_iter().next() };
    let hides = secret.map(|found| format!(", which spell: {}", found.rule.title)).unwrap_or_default();
    report(sink, &BIDI, &bidi, "");
    report(sink, &ZERO_WIDTH, &zero, "");
    report(sink, &TAGS, &tags, &hides);
    report(sink, &SELECTORS, &selectors, "");
    report(sink, &CONTROLS, &controls, "");
}

fn report(sink: &mut Sink<'_>, rule: &'static Rule, kind: &Kind, hides: &str) {
    let Some((at, c)) = kind.first else { return };
    let what = if rule == &SELECTORS { "runs of" } else { "×" };
    sink.note(rule, at..at + c.len_utf8(), format!("{} {what} U+{:04X}{hides}", kind.count, c as u32));
}
