//! Objects of buckets, listed, and read by range: what `data scan` and `artifact check` look into when they are given
//! `s3://`, and `scan --deep` under the prefixes of lineage. Only a session made for content can send these calls
//! (`operations::CONTENT`); every other is refused by the guard.
//!
//! Every call names the expected owner, as those of [`super::s3`] do: a bucket in a stranger's account is refused,
//! unless lineage names it and the account is known not to own it. All ranges of an object are asked for with its ETag: an object that changes while it is read is an error.

use std::io;
use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use base64::Engine as _;
use tokio::runtime::Handle;

use crate::aws::Session;
use crate::aws::error::classify;
use crate::base::{Text, Timestamp};
use crate::content::ByteSource;
use crate::content::artefact::{Entry, Folder};
use crate::inventory::ReadError;
use crate::inventory::objects::Head;

/// Objects of one prefix; more are not looked at, which is told.
const MOST: usize = 100_000;
/// The first range, and the largest: reading on in order doubles it.
const FIRST: u64 = 64 << 10;
const LARGEST: u64 = 8 << 20;

/// `s3://bucket/key`, `s3://bucket/prefix/` or `s3://bucket`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The bucket.
    pub bucket: String,
    /// The key or prefix; empty for the whole bucket.
    pub key: String,
}

impl Address {
    /// Of a URI; none if it is no address of S3.
    pub fn parse(uri: &str) -> Option<Self> {
        let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/').unwrap_or((uri.strip_prefix("s3://")?, ""));
        let named =
            bucket.len() >= 3 && bucket.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        named.then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// A bucket, and how to ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub bucket: String,
    /// Its region, if it is known; else the session's is asked.
    pub region: Option<Text>,
    /// Whether it is known to be another account's: then nobody is expected to own it.
    pub foreign: bool,
}

impl Holder {
    /// A bucket that must be the account's own, asked in the session's region.
    pub fn own(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), region: None, foreign: false }
    }

    fn client(&self, session: &Session) -> aws_sdk_s3::Client {
        self.region.as_ref().map_or_else(|| session.s3().clone(), |region| session.s3_in(region.as_str()))
    }

    fn owner(&self, session: &Session) -> Option<String> {
        (!self.foreign).then(|| session.info().account.to_string())
    }
}

/// An object as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size.
    pub size: u64,
    /// Its ETag, with its quotes.
    pub etag: String,
    /// When it was written.
    pub modified: Option<Timestamp>,
}

/// `ListObjectsV2` of what an address names: the object of that key, else what lies below it as a folder. `true` if
/// there are more than are told.
pub async fn list(session: &Session, address: &Address) -> Result<(Vec<Object>, bool), ReadError> {
    list_in(session, &Holder::own(&address.bucket), &address.key, MOST).await
}

/// The same in a bucket anywhere, at most so many.
pub async fn list_in(
    session: &Session,
    holder: &Holder,
    key: &str,
    most: usize,
) -> Result<(Vec<Object>, bool), ReadError> {
    let mut found = Vec::new();
    let mut pages = holder
        .client(session)
        .list_objects_v2()
        .bucket(&holder.bucket)
        .prefix(key)
        .set_expected_bucket_owner(holder.owner(session))
        .into_paginator()
        .send();
    let mut more = false;
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| classify("s3:ListObjectsV2", &error, session.clock().now()))?;
        found.extend(page.contents().iter().filter_map(|object| {
            Some(Object {
                key: object.key()?.to_owned(),
                size: u64::try_from(object.size()?).unwrap_or_default(),
                etag: object.e_tag().unwrap_or_default().to_owned(),
                modified: super::maybe_time(object.last_modified()),
            })
        }));
        if found.len() > most {
            found.truncate(most);
            more = true;
            break;
        }
    }
    // Consoles make folders visible by empty objects of their names.
    if let Some(exact) = found.iter().find(|object| object.key == key && !key.ends_with('/')) {
        return Ok((vec![exact.clone()], false));
    }
    // why: the prefix `train` must not take `training-secret/` in.
    let folder = if key.is_empty() || key.ends_with('/') { key.to_owned() } else { format!("{key}/") };
    found.retain(|object| object.key.starts_with(&folder) && !object.key.ends_with('/'));
    Ok((found, more))
}

/// `HeadObject`, with the checksum that S3 keeps.
pub async fn head(session: &Session, holder: &Holder, key: &str) -> Result<Head, ReadError> {
    let call = holder.client(session).head_object().bucket(&holder.bucket).key(key);
    let call = call.checksum_mode(ChecksumMode::Enabled).set_expected_bucket_owner(holder.owner(session));
    let answer = call.send().await.map_err(|error| classify("s3:HeadObject", &error, session.clock().now()))?;
    // why: that of an upload in parts is a checksum of checksums, which no manifest gives.
    let whole = answer.checksum_type() != Some(&ChecksumType::Composite);
    Ok(Head {
        key: key.into(),
        bytes: answer.content_length().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
        modified: super::maybe_time(answer.last_modified()),
        version: answer.version_id().filter(|version| !version.is_empty()).map(Text::new),
        encryption: super::text(answer.server_side_encryption().map(aws_sdk_s3::types::ServerSideEncryption::as_str)),
        kms_key: super::id(answer.ssekms_key_id()),
        sha256: answer.checksum_sha256().filter(|_| whole).and_then(hexadecimal),
    })
}

/// `GetObjectTagging`: what GuardDuty's malware scan tagged it with; empty if it has no such tag.
pub async fn scan_status(session: &Session, holder: &Holder, key: &str) -> Result<Text, ReadError> {
    let call = holder.client(session).get_object_tagging().bucket(&holder.bucket).key(key);
    let call = call.set_expected_bucket_owner(holder.owner(session));
    let answer = call.send().await.map_err(|error| classify("s3:GetObjectTagging", &error, session.clock().now()))?;
    let tag = answer.tag_set().iter().find(|tag| tag.key() == "GuardDutyMalwareScanStatus");
    Ok(tag.map(|tag| Text::new(tag.value())).unwrap_or_default())
}

/// A checksum as manifests write it. One with a dash is of an upload in parts.
fn hexadecimal(checksum: &str) -> Option<Text> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(checksum).ok().filter(|bytes| bytes.len() == 32)?;
    Some(Text::new(bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))))
}

/// An object, read by range. Blocks: for threads that are not the runtime's.
pub struct S3Object {
    session: Session,
    runtime: Handle,
    holder: Holder,
    object: Object,
    held: Mutex<Held>,
}

/// The range that was read last.
#[derive(Default)]
struct Held {
    from: u64,
    bytes: Vec<u8>,
    next: u64,
}

impl S3Object {
    /// An object of a list.
    pub fn new(session: &Session, runtime: &Handle, holder: &Holder, object: Object) -> Self {
        Self {
            session: session.clone(),
            runtime: runtime.clone(),
            holder: holder.clone(),
            object,
            held: Mutex::default(),
        }
    }

    /// `GetObject` of one range.
    async fn range(&self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let call = self
            .holder
            .client(&self.session)
            .get_object()
            .bucket(&self.holder.bucket)
            .key(&self.object.key)
            .range(format!("bytes={from}-{}", from + length - 1))
            .set_expected_bucket_owner(self.holder.owner(&self.session));
        let call = if self.object.etag.is_empty() { call } else { call.if_match(&self.object.etag) };
        let answer = call.send().await;
        // The error goes whole: who reads on may want its kind.
        let answer =
            answer.map_err(|error| io::Error::other(classify("s3:GetObject", &error, self.session.clock().now())))?;
        let mut body = answer.body;
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| io::Error::other(format!("s3:GetObject broke off: {error}")))?;
            bytes.extend_from_slice(&chunk);
            // A server that ignores the range must not fill the memory.
            if bytes.len() as u64 > length {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "s3:GetObject answered with more than was asked for",
                ));
            }
        }
        Ok(bytes)
    }
}

impl ByteSource for S3Object {
    fn size(&self) -> u64 {
        self.object.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        if offset >= self.object.size || into.is_empty() {
            return Ok(0);
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if offset < held.from || offset >= held.from + held.bytes.len() as u64 {
            let goes_on = offset == held.from + held.bytes.len() as u64 && !held.bytes.is_empty();
            held.next = if goes_on { (held.next * 2).min(LARGEST) } else { FIRST };
            let length = held.next.max((into.len() as u64).min(LARGEST)).min(self.object.size - offset);
            held.bytes = self.runtime.block_on(self.range(offset, length))?;
            held.from = offset;
        }
        let start = usize::try_from(offset - held.from).unwrap_or(usize::MAX);
        let rest = held.bytes.get(start..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// The objects below an address as a folder of artefacts.
pub struct S3Folder {
    session: Session,
    runtime: Handle,
    holder: Holder,
    address: Address,
    /// What every key begins with.
    base: String,
    objects: Vec<Object>,
    more: bool,
}

impl S3Folder {
    /// Lists it.
    pub async fn list(session: &Session, address: Address) -> Result<Self, ReadError> {
        let (objects, more) = list(session, &address).await?;
        Ok(Self::of(session, Holder::own(&address.bucket), address, objects, more))
    }

    /// Objects that were listed. Needs a runtime around it, which carries what is read.
    pub fn of(session: &Session, holder: Holder, address: Address, objects: Vec<Object>, more: bool) -> Self {
        let single = matches!(objects.as_slice(), [one] if one.key == address.key);
        let base = match (single, address.key.as_str()) {
            (true, key) => key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/")),
            (false, key) if key.is_empty() || key.ends_with('/') => key.to_owned(),
            (false, key) => format!("{key}/"),
        };
        Self { session: session.clone(), runtime: Handle::current(), holder, address, base, objects, more }
    }

    /// Whether the address is that of one object.
    pub fn is_single(&self) -> bool {
        matches!(self.objects.as_slice(), [one] if one.key == self.address.key)
    }

    /// Whether nothing lies there.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Its objects as sources, with their URIs.
    pub fn sources(&self) -> impl Iterator<Item = (String, S3Object)> {
        self.objects.iter().map(|object| {
            let uri = format!("s3://{}/{}", self.address.bucket, object.key);
            (uri, S3Object::new(&self.session, &self.runtime, &self.holder, object.clone()))
        })
    }

    /// Whether there are more objects than are told.
    pub fn is_cut(&self) -> bool {
        self.more
    }
}

impl Folder for S3Folder {
    fn uri(&self) -> String {
        format!("s3://{}/{}", self.address.bucket, self.address.key)
    }

    fn entries(&self) -> io::Result<(Vec<Entry>, bool)> {
        let below = |object: &Object| object.key.strip_prefix(&self.base).unwrap_or(&object.key).to_owned();
        let entries =
            self.objects.iter().map(|object| Entry { path: below(object), size: Some(object.size), stray: false });
        Ok((entries.collect(), self.more))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn ByteSource + '_>> {
        let key = format!("{}{path}", self.base);
        let object = self.objects.iter().find(|object| object.key == key).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(S3Object::new(&self.session, &self.runtime, &self.holder, object.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Options;
    use crate::aws::testing::{Answer, PROFILES, Request, Server, connect, options, session};

    #[test]
    fn addresses() {
        let parsed = |uri: &str| Address::parse(uri).map(|address| (address.bucket, address.key));
        assert_eq!(parsed("s3://orion-train/chat/a.jsonl"), Some(("orion-train".into(), "chat/a.jsonl".into())));
        assert_eq!(parsed("s3://orion-train"), Some(("orion-train".into(), String::new())));
        for bad in ["s3://", "s3:///key", "s3://a b/x", "https://x/y", "/local"] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    const LIST: &str = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <Contents><Key>imp/</Key><Size>0</Size><ETag>\"0\"</ETag></Contents>\
        <Contents><Key>imp/model.safetensors</Key><Size>70000</Size><ETag>\"e1\"</ETag></Contents>\
        <Contents><Key>imp-other/x</Key><Size>1</Size><ETag>\"e2\"</ETag></Contents></ListBucketResult>";

    fn answer(request: &Request) -> Option<Answer> {
        if request.has("list-type=2") {
            return Some(Answer::xml(200, LIST));
        }
        let range = request.0.to_ascii_lowercase();
        let range = range.lines().find_map(|line| {
            line.strip_prefix("range: bytes=")?.split_once('-').map(|(a, b)| (a.to_owned(), b.to_owned()))
        })?;
        let (from, to): (usize, usize) = (range.0.parse().ok()?, range.1.trim().parse().ok()?);
        let body: String = (from..=to).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
        Some(Answer(206, "binary/octet-stream", body))
    }

    async fn content_session(server: &Server) -> Session {
        connect(&Options { content: true, ..options(server) }, PROFILES).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn objects_are_listed_below_the_folder_and_read_by_range() {
        let server = Server::aws(answer).await;
        let session = content_session(&server).await;
        let folder = S3Folder::list(&session, Address::parse("s3://orion/imp").unwrap()).await.unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let (entries, more) = folder.entries().unwrap();
            assert_eq!(entries, [Entry { path: "model.safetensors".into(), size: Some(70_000), stray: false }]);
            assert!(!more && !folder.is_single());
            let source = folder.open("model.safetensors").unwrap();
            let mut bytes = [0; 4];
            assert_eq!(source.read_at(26, &mut bytes).unwrap(), 4);
            assert_eq!(&bytes, b"abcd");
            assert_eq!(source.read_at(30, &mut bytes).unwrap(), 4);
            assert_eq!(&bytes, b"efgh");
            assert_eq!(source.read_at(69_999, &mut bytes).unwrap(), 1);
            source.read_at(70_000, &mut bytes).unwrap()
        });
        assert_eq!(read.await.unwrap(), 0);
        let gets: Vec<_> = server.seen().into_iter().filter(|request| !request.has("list-type=2")).collect();
        assert_eq!(gets.len(), 2, "what was read is held");
        assert!(gets.iter().all(|get| get.0.to_ascii_lowercase().contains("if-match: \"e1\"")));
        assert!(
            gets.iter().all(|get| get.0.to_ascii_lowercase().contains("x-amz-expected-bucket-owner: 123456789012"))
        );
    }

    #[test]
    fn checksums_as_manifests_write_them() {
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hexadecimal(empty), Some(hex.into()));
        assert_eq!((hexadecimal("47DEQpj8-3"), hexadecimal("AAAA")), (None, None));
    }

    #[tokio::test]
    async fn a_bucket_of_another_account_is_asked_without_an_owner_and_in_its_region() {
        let server = Server::aws(answer).await;
        let session = content_session(&server).await;
        let foreign = Holder { bucket: "theirs".into(), region: Some("eu-west-1".into()), foreign: true };
        let (objects, _) = list_in(&session, &foreign, "imp/", 10).await.unwrap();
        assert_eq!(objects.len(), 1, "{objects:?}");
        assert!(head(&session, &foreign, "imp/model.safetensors").await.is_err(), "the server answers no heads");
        for request in server.seen() {
            let request = request.0.to_ascii_lowercase();
            assert!(!request.contains("expected-bucket-owner") && request.contains("/eu-west-1/s3/"), "{request}");
        }
        assert!(head(&session, &Holder::own("ours"), "k").await.is_err());
        assert!(server.seen().last().unwrap().0.to_ascii_lowercase().contains("expected-bucket-owner: 123456789012"));
    }

    #[tokio::test]
    async fn a_session_that_was_not_asked_for_content_sends_nothing() {
        let server = Server::aws(answer).await;
        let plain = session(&server).await;
        let refused = head(&plain, &Holder::own("orion"), "imp/x").await.unwrap_err();
        assert!(refused.message.as_str().contains("guard"), "{refused:?}");
        let error = list(&plain, &Address::parse("s3://orion/imp").unwrap()).await.unwrap_err();
        assert!(error.message.as_str().contains("guard"), "{error:?}");
        assert_eq!(server.seen().len(), 0);
        let content = content_session(&server).await;
        assert!(content.s3().delete_object().bucket("b").key("k").send().await.is_err());
        assert!(content.s3().put_object().bucket("b").key("k").send().await.is_err());
        assert_eq!(server.seen().len(), 0);
    }
}
