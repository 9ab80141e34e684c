//! Which certificates of a PEM file can be trust anchors.
//!
//! why: the SDK's TLS provider panics on a certificate that it cannot parse, and bundles with an odd
//! one are common. What passes here parses there; the rules are at most stricter (RFC 5280 §4.1,
//! DER lengths up to 64 KiB as in webpki).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// The usable certificates of a bundle, each as PEM again, and how many were unusable.
pub(super) fn roots(pem: &[u8]) -> (Vec<String>, usize) {
    let text = String::from_utf8_lossy(pem);
    let (mut good, mut bad) = (Vec::new(), 0);
    let mut rest = text.as_ref();
    while let Some((_, after)) = rest.split_once("-----BEGIN CERTIFICATE-----") {
        let Some((body, next)) = after.split_once("-----END CERTIFICATE-----") else {
            bad += 1;
            break;
        };
        let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        match STANDARD.decode(&body) {
            Ok(der) if is_anchor(&der).is_some() => good.push(wrapped(&STANDARD.encode(der))),
            _ => bad += 1,
        }
        rest = next;
    }
    (good, bad)
}

fn wrapped(body: &str) -> String {
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, c) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem + "\n-----END CERTIFICATE-----\n"
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }`, version 1 or 3.
fn is_anchor(der: &[u8]) -> Option<()> {
    let mut outer = Der(der);
    let mut certificate = Der(outer.take(SEQUENCE)?);
    outer.end()?;
    let mut tbs = Der(certificate.take(SEQUENCE)?);
    let algorithm = certificate.take(SEQUENCE)?;
    let signature = certificate.take(BIT_STRING)?;
    certificate.end()?;
    // Whole bytes only.
    if signature.first() != Some(&0) {
        return None;
    }
    let third = tbs.0.first() == Some(&VERSION);
    if third && tbs.take(VERSION)? != [INTEGER, 1, 2] {
        return None;
    }
    tbs.take(INTEGER)?;
    if tbs.take(SEQUENCE)? != algorithm {
        return None;
    }
    for _issuer_validity_subject_key in 0..4 {
        tbs.take(SEQUENCE)?;
    }
    if third && !tbs.0.is_empty() {
        extensions(tbs.take(EXTENSIONS)?)?;
    }
    tbs.end()
}

fn extensions(tagged: &[u8]) -> Option<()> {
    let mut tagged = Der(tagged);
    let mut list = Der(tagged.take(SEQUENCE)?);
    tagged.end()?;
    let mut seen: Vec<&[u8]> = Vec::new();
    while !list.0.is_empty() {
        let mut extension = Der(list.take(SEQUENCE)?);
        let id = extension.take(OID)?;
        if extension.0.first() == Some(&BOOLEAN) && extension.take(BOOLEAN)? != [0xff] {
            return None;
        }
        let value = extension.take(OCTET_STRING)?;
        extension.end()?;
        if seen.contains(&id) {
            return None;
        }
        seen.push(id);
        // id-ce (2.5.29): subjectAltName, basicConstraints, nameConstraints, CRL points, extKeyUsage.
        if let [0x55, 0x1d, 17 | 19 | 30 | 31 | 37] = id {
            let mut value = Der(value);
            value.take(SEQUENCE)?;
            value.end()?;
        }
    }
    Some(())
}

/// What is left to read of DER.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The contents of the next value, which must have this tag and a minimal length.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&[found, first], rest) = self.0.split_first_chunk::<2>()?;
        if found != tag {
            return None;
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => {
                let (&length, rest) = rest.split_first()?;
                (usize::from(length).checked_sub(0x80).map(|_| usize::from(length))?, rest)
            }
            0x82 => {
                let (length, rest) = rest.split_first_chunk::<2>()?;
                let length = u16::from_be_bytes(*length);
                (usize::from(length).checked_sub(0x100).map(|_| usize::from(length))?, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
pub(super) mod tests;
