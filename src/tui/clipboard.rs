//! The clipboard of the user's terminal, by OSC 52: it crosses SSH, where no other clipboard does.
//! There is no answer to it, so the console says what it sent, not that it arrived.

use base64::Engine as _;

/// The most bytes sent, encoded: what xterm and its kin take.
pub const MOST: usize = 74_994;

/// How the sequence is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// As it is. tmux understands it itself with `set-clipboard on`.
    Plain,
    /// Passed through tmux (`allow-passthrough on`).
    Tmux,
    /// In pieces through GNU screen.
    Screen,
}

/// How to wrap here: as configured, else by the environment. None if it is switched off.
pub fn wrapping(configured: Option<&str>, var: impl Fn(&str) -> Option<String>) -> Option<Wrap> {
    match configured {
        Some("off") => None,
        Some("tmux") => Some(Wrap::Tmux),
        Some("screen") => Some(Wrap::Screen),
        Some("osc52") => Some(Wrap::Plain),
        _ if var("TMUX").is_some_and(|value| !value.is_empty()) => Some(Wrap::Plain),
        _ if var("STY").is_some_and(|value| !value.is_empty()) => Some(Wrap::Screen),
        _ => Some(Wrap::Plain),
    }
}

/// The bytes that put `text` on the clipboard, or how many encoded bytes are too many.
pub fn sequence(text: &str, wrap: Wrap) -> Result<String, usize> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    if encoded.len() > MOST {
        return Err(encoded.len());
    }
    let plain = format!("\x1b]52;c;{encoded}\x1b\\");
    Ok(match wrap {
        Wrap::Plain => plain,
        Wrap::Tmux => format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
        Wrap::Screen => {
            // GNU screen takes 768 bytes a string at most, and ends it at the first ST.
            let pieces: Vec<&str> =
                encoded.as_bytes().chunks(512).filter_map(|piece| std::str::from_utf8(piece).ok()).collect();
            format!("\x1bP\x1b]52;c;{}\x07\x1b\\", pieces.join("\x1b\\\x1bP"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_wrapped_for_what_stands_between() {
        assert_eq!(sequence("key", Wrap::Plain).unwrap(), "\x1b]52;c;a2V5\x1b\\");
        assert_eq!(sequence("key", Wrap::Tmux).unwrap(), "\x1bPtmux;\x1b\x1b]52;c;a2V5\x1b\x1b\\\x1b\\");
        assert_eq!(sequence("key", Wrap::Screen).unwrap(), "\x1bP\x1b]52;c;a2V5\x07\x1b\\");
        assert!(sequence(&"x".repeat(1000), Wrap::Screen).unwrap().contains("\x1b\\\x1bP"));
        assert!(sequence(&"x".repeat(60_000), Wrap::Plain).unwrap_err() > MOST);
    }

    #[test]
    fn the_way_is_found_or_configured() {
        let tmux = |name: &str| (name == "TMUX").then(|| "/tmp/x".to_owned());
        let screen = |name: &str| (name == "STY").then(|| "1.pts".to_owned());
        assert_eq!(wrapping(None, tmux), Some(Wrap::Plain));
        assert_eq!(wrapping(None, screen), Some(Wrap::Screen));
        assert_eq!(wrapping(Some("tmux"), screen), Some(Wrap::Tmux));
        assert_eq!(wrapping(Some("off"), screen), None);
    }
}
