//! Streams made by zlib; damage; bombs.

use super::*;
use base64::Engine as _;
use proptest::prelude::*;

const DYNAMIC: &str = "7cxFEsJAFADRq3zcg7u7e3ANRCDIxO30cAyKmnW/avLGgKjerw+4SEh/A4sM4NWXIAPSGAmUb35Slgk04gggMcYYY4wxxvi/sM3ucLrcHq/PHwiGiHAkGosnkql0JpvLF4qlcqVaqzearXan2+sPhqPxZDqbk4vlar3Z7vaH4+lMXa40w3K3O/94vt5IECVZUTXdMC18/tXzBw==";
const FIXED: &str = "C8lIVSgszUzOVkgqyi/PU0jLr1DIKs0tKFbIL0stUigBSuckVlUqpOSn6ymEjCoeVTyqeFTxqOJRxcNLsaKSsoqqmrqGppa2jq6evoGhkbGJqZm5haWVtY2tnb2Do5Ozi6ubu4enl7ePr59/QGBQcEhoWHhEZFR0TGxcfEJiUnJKalp6RmZWdk5uXn5BYVFxSWlZeUVl1ajJg9VkAA==";
const STORED: &str = "AcgAN/9UaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nLiBUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nLiBUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nLiBUaGUgcXVpY2sgYnJvd24gZm94IGp1bXBzIG92ZXIgdGhlIGxhenkgZG9nLiBUaGUgcXVpY2sgYnJvd24gZm94IA==";
const TWO_MEMBERS: &str = "H4sICAAAAAAC/24uanNvbmwAS8ssKi7hAgAqs0rHBgAAAB+LCAAAAAAAAgMrTk3Oz0vhAgB+wA8GBwAAAA==";
const MEGABYTE_OF_ZEROS: &str = "7cExAQAAAMKg9U9tCF+gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+Aw==";

fn bytes(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn text() -> Vec<u8> {
    let mut text = "The quick brown fox jumps over the lazy dog. ".repeat(40).into_bytes();
    text.extend((0..500u32).map(|n| 33 + (n % 90) as u8));
    text
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    Inflate::new(packed).read_to_end(&mut out).map(|_| out)
}

#[test]
fn every_kind_of_block() {
    assert!(unpack(&bytes(DYNAMIC)).unwrap() == text());
    assert!(unpack(&bytes(FIXED)).unwrap() == text());
    assert!(unpack(&bytes(STORED)).unwrap() == text()[..200]);
    assert!(unpack(&bytes(MEGABYTE_OF_ZEROS)).unwrap() == vec![0; 1 << 20]);
}

#[test]
fn members_follow_one_another_and_are_checked() {
    let packed = bytes(TWO_MEMBERS);
    let mut out = String::new();
    Gunzip::new(&packed[..]).read_to_string(&mut out).unwrap();
    assert_eq!(out, "first\nsecond\n");
    let mut wrong = packed.clone();
    let last = wrong.len() - 6;
    wrong[last] ^= 1;
    let error = Gunzip::new(&wrong[..]).read_to_string(&mut String::new()).unwrap_err();
    assert_eq!(Stop::of(&error), Some(Stop::Broken("the checksum does not fit")));
    let error = Gunzip::new(&packed[..packed.len() - 9]).read_to_string(&mut String::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    let mut taped = packed;
    taped.extend([0; 512]);
    assert!(Gunzip::new(&taped[..]).read_to_string(&mut String::new()).is_ok());
}

#[test]
fn more_than_is_allowed_does_not_come_out() {
    let packed = bytes(MEGABYTE_OF_ZEROS);
    let error = Inflate::at_most(&packed[..], 100_000).read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(Stop::of(&error), Some(Stop::Bomb));
}

#[test]
fn what_breaks_off_says_so() {
    let packed = bytes(DYNAMIC);
    for length in 0..packed.len() {
        let error = unpack(&packed[..length]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{length}");
    }
}

proptest! {
    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Inflate::at_most(&noise[..], 1 << 20).read_to_end(&mut Vec::new());
        let _ = Gunzip::new(&noise[..]).read_to_end(&mut Vec::new());
    }

    #[test]
    fn damage_never_panics(at in 0usize..200, with in any::<u8>()) {
        let mut packed = bytes(DYNAMIC);
        let at = at % packed.len();
        packed[at] = with;
        let _ = Inflate::at_most(&packed[..], 1 << 20).read_to_end(&mut Vec::new());
    }
}
