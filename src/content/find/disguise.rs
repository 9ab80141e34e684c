//! Wording in disguise: letters of other alphabets that look Latin, full-width and mathematical letters, invisible
//! characters between letters. The text is folded once and looked at again.

use super::{Sink, View, hidden_in};
use crate::content::rules::{Class, HOMOGLYPHS};

/// Finds it; in ASCII alone there is none.
pub(super) fn find(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut folded = String::with_capacity(view.text.len());
    let (mut changed, mut lookalikes, mut first) = (false, 0u64, None);
    let (mut latin, mut other, mut word_at) = (0u32, 0u32, 0usize);
    for (at, c) in view.text.char_indices() {
        let plain = fold(c);
        changed |= plain != Some(c);
        folded.extend(plain);
        if c.is_alphabetic() {
            latin += u32::from(c.is_ascii_alphabetic());
            other += u32::from(looks_latin(c).is_some());
        } else if !is_ignored(c) {
            if latin >= 2 && other > 0 {
                lookalikes += 1;
                first.get_or_insert(word_at..at);
            }
            (latin, other, word_at) = (0, 0, at + c.len_utf8());
        }
    }
    if latin >= 2 && other > 0 {
        lookalikes += 1;
        first.get_or_insert(word_at..view.text.len());
    }
    if let Some(range) = first {
        sink.note(&HOMOGLYPHS, range, format!("{lookalikes} words that mix alphabets"));
    }
    if changed {
        for found in hidden_in(&folded, sink.masks) {
            let known = sink.found.iter().any(|seen| seen.rule == found.rule);
            if found.rule.class == Class::Instruction && !known {
                sink.note(found.rule, 0..view.text.len(), format!("in disguise: {}", found.shown));
            }
        }
    }
}

/// The letter a reader sees; none for what is not seen.
fn fold(c: char) -> Option<char> {
    let code = c as u32;
    match c {
        _ if c.is_ascii() => Some(c),
        _ if is_ignored(c) => None,
        // Full-width forms.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xff01 + 0x21),
        // Mathematical letters: thirteen alphabets of 52 letters.
        '\u{1d400}'..='\u{1d6a3}' => {
            let letter = (code - 0x1d400) % 52;
            char::from_u32(if letter < 26 { 0x41 + letter } else { 0x61 + letter - 26 })
        }
        // Circled and enclosed letters.
        '\u{24b6}'..='\u{24cf}' => char::from_u32(code - 0x24b6 + 0x41),
        '\u{24d0}'..='\u{24e9}' => char::from_u32(code - 0x24d0 + 0x61),
        _ => Some(looks_latin(c).unwrap_or(c)),
    }
}

fn is_ignored(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}

/// Cyrillic and Greek letters that look like Latin ones (Unicode confusables, the commonest).
fn looks_latin(c: char) -> Option<char> {
    Some(match c {
        'а' => 'a',
        'е' => 'e',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' => 'i',
        'ј' => 'j',
        'ѕ' => 's',
        'һ' => 'h',
        'ԁ' => 'd',
        'ԛ' => 'q',
        'ԝ' => 'w',
        'ν' => 'v',
        'ɡ' => 'g',
        'ı' => 'i',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'І' | 'Ι' => 'I',
        'Ѕ' => 'S',
        'Ј' => 'J',
        'Ν' => 'N',
        'Ζ' => 'Z',
        'Υ' => 'Y',
        _ => return None,
    })
}
