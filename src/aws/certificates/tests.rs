//! Certificates, and that the SDK takes every one that passes here.

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use proptest::prelude::*;

use super::*;

/// A self-signed version 3 root made for this test; its key was thrown away.
pub(in crate::aws) const ROOT: &str = "\
-----BEGIN CERTIFICATE-----
MIIBnjCCAUWgAwIBAgIUT4nlkey3qLCkRllfdeBPXby92LMwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSYmVkd2F0Y2ggdGVzdCByb290MB4XDTI2MTEyMTIxMDMzNVoX
DTM2MTExODIxMDMzNVowHTEbMBkGA1UEAwwSYmVkd2F0Y2ggdGVzdCByb290MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELxYvizexI4HGJOATQA0s43McTDkQ0Lt+
+aVoJrsJ1nE6YkGiACD1Rd2nwbB4uHxMMIwgMTBU4UDFP4IbLqeL86NjMGEwHQYD
VR0OBBYEFManHV5IrSHOMSxH8PpvRRKNqQWvMB8GA1UdIwQYMBaAFManHV5IrSHO
MSxH8PpvRRKNqQWvMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoG
CCqGSM49BAMCA0cAMEQCIFYUd5qzYav4l4bETp8GS+9YN5oNUoTkkEwqAO+EXePk
AiBwQzs6o3ViWZzYPjdahAIpQ/PB9DrPGk0+pLcLVi2bNA==
-----END CERTIFICATE-----
";

/// The same in version 1.
const OLD: &str = "\
-----BEGIN CERTIFICATE-----
MIIBHzCBxQIUOurXG79yVWim+AkLJhY2yLQRte8wCgYIKoZIzj0EAwIwEjEQMA4G
A1UEAwwHdjEgcm9vdDAeFw0yNjExMjEyMTAzMzZaFw0zNjExMTgyMTAzMzZaMBIx
EDAOBgNVBAMMB3YxIHJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQvFi+L
N7EjgcYk4BNADSzjcxxMORDQu375pWgmuwnWcTpiQaIAIPVF3afBsHi4fEwwjCAx
MFThQMU/ghsup4vzMAoGCCqGSM49BAMCA0kAMEYCIQCVOz0VMCEfTrF6mOGqbl0i
dsauiz+czocD4VMNEYYKQgIhALi2GVlqNFK8aXnjneUIrtndmEPsCP7DITUdWVB9
o/gX
-----END CERTIFICATE-----
";

/// Hands a certificate to the SDK's TLS provider, which panics on one that it cannot parse.
fn sdk_takes(pem: &str) {
    let trust = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(pem)).build().unwrap();
    let _ = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(trust).build();
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

fn as_pem(der: &[u8]) -> String {
    wrapped(&STANDARD.encode(der))
}

#[test]
fn good_ones_pass_and_odd_ones_do_not_stop_them() {
    let odd = "-----BEGIN CERTIFICATE-----\nMIIB!!\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let bundle =
        format!("# a comment\n{ROOT}{odd}{key}{}\n-----BEGIN CERTIFICATE-----\nMII", OLD.replace('\n', "\r\n"));
    let (good, bad) = roots(bundle.as_bytes());
    assert_eq!((good.len(), bad), (2, 2));
    assert_eq!((der(&good[0]), der(&good[1])), (der(ROOT), der(OLD)));
    for pem in &good {
        sdk_takes(pem);
    }
}

#[test]
fn no_beginning_of_a_certificate_passes() {
    let whole = der(ROOT);
    for end in 0..whole.len() {
        assert!(is_anchor(&whole[..end]).is_none(), "{end}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(is_anchor(&longer).is_none());
}

#[test]
fn the_sdk_takes_every_damaged_certificate_that_still_passes() {
    for whole in [der(ROOT), der(OLD)] {
        let mut passed = 0;
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= change;
                if is_anchor(&damaged).is_some() {
                    passed += 1;
                    sdk_takes(&as_pem(&damaged));
                }
            }
        }
        // Names, keys and signatures are not looked into.
        assert!(passed > whole.len(), "{passed}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = roots(&bytes);
        if is_anchor(&bytes).is_some() {
            sdk_takes(&as_pem(&bytes));
        }
    }
}
