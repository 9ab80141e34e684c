//! Checks a folder of model artefacts: every file by what it is, then what must be there together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::header::{self, Header};
use super::imports::Rating;
use super::kind::Kind;
use super::{Sink, config, pickle, shards, template, zip};
use crate::base::Text;
use crate::content::bytes::{ByteSource, LocalFile, Stream, up_to};
use crate::content::hit::Findings;
use crate::content::inflate::Stop;
use crate::content::rules::{
    ARCHIVE, ARCHIVE_BOMB, ARCHIVE_BROKEN, CODE_FILE, CONFIG_BROKEN, CONFIG_MISSING, EXECUTABLE, NO_WEIGHTS,
    NOT_SAFETENSORS, PICKLE, PICKLE_BROKEN, PICKLE_DANGEROUS, PICKLE_UNKNOWN, SIZE_LIMIT, SYMLINK, WEIGHTS_FORMAT,
};

/// A folder is not followed deeper.
const DEEPEST: usize = 16;
const MOST_FILES: usize = 100_000;
/// Documented limit for text models (Amazon Bedrock User Guide).
const LARGEST_MODEL: u64 = 200 << 30;

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path below the folder, with `/`.
    pub path: String,
    /// Its size, if it is a file that can be read.
    pub size: Option<u64>,
    /// A link that leads out of the folder or nowhere.
    pub stray: bool,
}

/// Where artefacts lie: a folder of this machine, a prefix of a bucket.
pub trait Folder {
    /// Its name, for reports.
    fn uri(&self) -> String;
    /// Its files, by path. `true` if there are more than are told.
    fn entries(&self) -> io::Result<(Vec<Entry>, bool)>;
    /// Opens one of them.
    fn open(&self, path: &str) -> io::Result<Box<dyn ByteSource + '_>>;
}

/// A folder, or a single file, of this machine.
#[derive(Debug)]
pub struct LocalFolder {
    root: PathBuf,
    single: Option<String>,
}

impl LocalFolder {
    /// Of a path that exists.
    pub fn new(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Ok(Self { root: path.to_owned(), single: None });
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { root: path.parent().unwrap_or(Path::new(".")).to_owned(), single: Some(name) })
    }

    fn walk(&self, folder: &Path, depth: usize, root: &Path, entries: &mut Vec<Entry>) -> io::Result<bool> {
        let mut listed: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        listed.sort_by_key(std::fs::DirEntry::file_name);
        for entry in listed {
            if entries.len() >= MOST_FILES {
                return Ok(true);
            }
            let path = entry.path();
            let name = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let link = entry.file_type()?.is_symlink();
            let inside = || path.canonicalize().is_ok_and(|real| real.starts_with(root));
            if link && !inside() {
                entries.push(Entry { path: name, size: None, stray: true });
                continue;
            }
            let metadata = std::fs::metadata(&path)?;
            if metadata.is_dir() {
                // A link to a folder above would never end.
                if link || depth >= DEEPEST {
                    entries.push(Entry { path: name, size: None, stray: link });
                } else if self.walk(&path, depth + 1, root, entries)? {
                    return Ok(true);
                }
            } else {
                entries.push(Entry { path: name, size: metadata.is_file().then_some(metadata.len()), stray: false });
            }
        }
        Ok(false)
    }
}

impl Folder for LocalFolder {
    fn uri(&self) -> String {
        let path = self.single.as_ref().map_or(self.root.clone(), |name| self.root.join(name));
        path.to_string_lossy().into_owned()
    }

    fn entries(&self) -> io::Result<(Vec<Entry>, bool)> {
        if let Some(name) = &self.single {
            let size = std::fs::metadata(self.root.join(name))?.len();
            return Ok((vec![Entry { path: name.clone(), size: Some(size), stray: false }], false));
        }
        let mut entries = Vec::new();
        let root = self.root.canonicalize()?;
        let more = self.walk(&self.root, 0, &root, &mut entries)?;
        Ok((entries, more))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn ByteSource + '_>> {
        Ok(Box::new(LocalFile::open(&self.root.join(path))?))
    }
}

/// A file and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// Its path below the folder.
    pub path: Text,
    /// Its size.
    pub bytes: u64,
    /// What it is.
    pub kind: Kind,
    /// Why it was not looked into; none if it was.
    pub error: Option<Text>,
}

/// What a folder holds and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The folder.
    pub uri: Text,
    /// Each file.
    pub files: Vec<FileReport>,
    /// What was found.
    pub findings: Findings,
    /// Whether there are more files than were looked at.
    pub cut: bool,
}

impl Report {
    /// Whether everything was looked at.
    pub fn is_complete(&self) -> bool {
        !self.cut && self.files.iter().all(|file| file.error.is_none())
    }
}

/// What is remembered while a folder is checked.
#[derive(Default)]
struct Seen {
    names: BTreeSet<String>,
    headers: BTreeMap<String, Header>,
    indexes: Vec<(String, shards::Index)>,
    weights: u64,
    safetensors: usize,
}

/// Checks a folder. `Err` only if it cannot be listed.
pub fn check(folder: &dyn Folder, single: bool) -> io::Result<Report> {
    let (entries, cut) = folder.entries()?;
    let mut report = Report { uri: Text::new(folder.uri()), files: Vec::new(), findings: Findings::default(), cut };
    let mut seen = Seen { names: entries.iter().map(|entry| entry.path.clone()).collect(), ..Seen::default() };
    for entry in &entries {
        let mut sink = Sink { findings: &mut report.findings, uri: entry.path.clone() };
        let Some(bytes) = entry.size else {
            sink.add(&SYMLINK, "", if entry.stray { "it was not followed" } else { "it is no regular file" });
            continue;
        };
        let (kind, error) = match folder
            .open(&entry.path)
            .and_then(|source| file(source.as_ref(), &entry.path, &mut seen, &mut sink))
        {
            Ok(kind) => (kind, None),
            Err(error) => (Kind::of(&entry.path, &[]), Some(Text::new(error.to_string()))),
        };
        report.files.push(FileReport { path: Text::new(&entry.path), bytes, kind, error });
    }
    together(&seen, single, &mut Sink { findings: &mut report.findings, uri: folder.uri() });
    Ok(report)
}

/// What must be there together.
fn together(seen: &Seen, single: bool, sink: &mut Sink<'_>) {
    for (path, index) in &seen.indexes {
        // Names of an index are relative to its own folder.
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let below = |name: &String| name.strip_prefix(&folder).map(str::to_owned);
        let files = seen.names.iter().filter_map(below).collect();
        let mut own = Sink { findings: sink.findings, uri: path.clone() };
        shards::compare(index, &files, &seen.headers, &folder, &mut own);
    }
    if single {
        return;
    }
    if seen.safetensors == 0 {
        sink.add(&NO_WEIGHTS, "", format!("{} files, none of them safetensors", seen.names.len()));
    }
    let has = |wanted: &str| seen.names.iter().any(|name| name.rsplit('/').next() == Some(wanted));
    for wanted in ["config.json", "tokenizer_config.json"] {
        if !has(wanted) {
            sink.add(&CONFIG_MISSING, "", wanted);
        }
    }
    if !["tokenizer.json", "tokenizer.model", "vocab.json"].iter().any(|name| has(name)) {
        sink.add(&CONFIG_MISSING, "", "tokenizer.json or tokenizer.model");
    }
    let several = seen.headers.len() > 1 && seen.names.iter().any(|name| name.contains("-of-"));
    if several && seen.indexes.is_empty() && !seen.names.iter().any(|name| name.ends_with(".safetensors.index.json")) {
        sink.add(&CONFIG_MISSING, "", "model.safetensors.index.json");
    }
    if seen.weights > LARGEST_MODEL {
        sink.add(&SIZE_LIMIT, "", format!("{} GiB of weights", seen.weights >> 30));
    }
}

fn file(source: &dyn ByteSource, path: &str, seen: &mut Seen, sink: &mut Sink<'_>) -> io::Result<Kind> {
    let head = up_to(source, 0, 512)?;
    let kind = Kind::of(path, &head);
    let name = path.rsplit('/').next().unwrap_or_default();
    let claims = name.to_ascii_lowercase().ends_with(".safetensors");
    if claims && kind != Kind::Safetensors {
        sink.at(&NOT_SAFETENSORS, Some(0), "", format!("its first bytes are those of: {}", kind.word()));
    }
    match kind {
        Kind::Safetensors => {
            seen.safetensors += 1;
            seen.weights = seen.weights.saturating_add(source.size());
            if let Some(header) = header::verify(source, sink)? {
                seen.headers.insert(path.to_owned(), header);
            }
        }
        Kind::Pickle => pickled(Stream::new(source), sink)?,
        Kind::Zip => zipped(source, path, sink)?,
        Kind::Archive => sink.add(&ARCHIVE, "", "its members are not looked into"),
        Kind::Executable => sink.add(&EXECUTABLE, "", "its first bytes are those of a program"),
        Kind::Code => sink.add(&CODE_FILE, "", name),
        // `.bin` may be an old pickle without mark.
        Kind::Weights if looks_old(&head) => pickled(Stream::new(source), sink)?,
        Kind::Weights => sink.add(&WEIGHTS_FORMAT, "", name),
        Kind::Json | Kind::Template => text(source, name, path, kind, seen, sink)?,
        Kind::Other => {}
    }
    Ok(kind)
}

/// A pickle of protocol 0 or 1 begins with a mark, a dictionary, a list or an import.
fn looks_old(head: &[u8]) -> bool {
    matches!(head.first(), Some(b'(' | b'}' | b']' | b'c')) && head.len() > 4
}

fn text(
    source: &dyn ByteSource,
    name: &str,
    path: &str,
    kind: Kind,
    seen: &mut Seen,
    sink: &mut Sink<'_>,
) -> io::Result<()> {
    if source.size() > config::LARGEST {
        sink.add(&CONFIG_BROKEN, "", format!("it has {} bytes: too many for settings", source.size()));
        return Ok(());
    }
    let bytes = up_to(source, 0, config::LARGEST as usize)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        sink.add(&CONFIG_BROKEN, "", "it is not UTF-8");
        return Ok(());
    };
    if kind == Kind::Template {
        template::check(text, "", sink);
    } else if name.ends_with(".safetensors.index.json") {
        seen.indexes.extend(shards::read(text, sink).map(|index| (path.to_owned(), index)));
    } else {
        config::check(name, text, sink);
    }
    Ok(())
}

fn pickled(input: impl io::Read, sink: &mut Sink<'_>) -> io::Result<()> {
    let found = match pickle::read(input) {
        Ok(found) => found,
        Err(error) => {
            let rule = match Stop::of(&error) {
                Some(Stop::Bomb) => &ARCHIVE_BOMB,
                Some(Stop::Broken(_)) => &ARCHIVE_BROKEN,
                None => return Err(error),
            };
            sink.add(rule, "", error.to_string());
            return Ok(());
        }
    };
    let of = |rating: Rating| shown(found.imports.iter().filter(|import| import.rating == rating));
    let (dangerous, unknown) = (of(Rating::Dangerous), of(Rating::Unknown));
    if !dangerous.is_empty() {
        sink.add(&PICKLE_DANGEROUS, "", format!("it imports {dangerous}"));
    }
    if !unknown.is_empty() {
        sink.add(&PICKLE_UNKNOWN, "", format!("it imports {unknown}"));
    }
    if found.computed > 0 {
        sink.add(&PICKLE_UNKNOWN, "", format!("{} imports have computed names", found.computed));
    }
    if let Some((at, what)) = found.broken {
        sink.at(&PICKLE_BROKEN, Some(at), "", what);
    }
    if dangerous.is_empty() && unknown.is_empty() && found.computed == 0 {
        let opcodes: u64 = found.opcodes.values().sum();
        sink.add(&PICKLE, "", format!("{opcodes} opcodes, {} harmless imports", found.imports.len()));
    }
    Ok(())
}

/// Members of an archive: pickles are read, archives inside are told, the rest is judged by name and first bytes.
fn zipped(source: &dyn ByteSource, path: &str, sink: &mut Sink<'_>) -> io::Result<()> {
    let members = zip::members(source, sink)?;
    if !Kind::named_weights(path) && !members.iter().any(|member| member.name.ends_with("data.pkl")) {
        sink.add(&ARCHIVE, "", format!("{} members", members.len()));
    } else {
        sink.add(&WEIGHTS_FORMAT, "", format!("an archive of {} members", members.len()));
    }
    for member in &members {
        let mut own = sink.within(&member.name);
        let Some(mut input) = zip::open(source, member, &mut own)? else { continue };
        let mut head = Vec::new();
        if let Err(error) = (&mut input).take(512).read_to_end(&mut head) {
            match Stop::of(&error) {
                Some(Stop::Bomb) => own.add(&ARCHIVE_BOMB, "", error.to_string()),
                Some(Stop::Broken(_)) => own.add(&ARCHIVE_BROKEN, "", error.to_string()),
                None if error.kind() == io::ErrorKind::UnexpectedEof => {
                    own.add(&ARCHIVE_BROKEN, "", "the member breaks off");
                }
                None => return Err(error),
            }
            continue;
        }
        // Tensors of PyTorch files are members without an ending; they may begin with any byte.
        let tensor = member.name.rsplit_once("data/").is_some_and(|(_, rest)| rest.bytes().all(|b| b.is_ascii_digit()));
        match Kind::of(&member.name, &head) {
            _ if tensor => {}
            Kind::Pickle => pickled(head.as_slice().chain(input), &mut own)?,
            Kind::Executable => own.add(&EXECUTABLE, "", "its first bytes are those of a program"),
            Kind::Code => own.add(&CODE_FILE, "", "code inside an archive"),
            Kind::Zip | Kind::Archive => own.add(&ARCHIVE, "", "an archive inside an archive: not looked into"),
            _ if looks_old(&head) && Kind::named_weights(&member.name) => {
                pickled(head.as_slice().chain(input), &mut own)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// `os.system (called), builtins.eval`, the first few.
fn shown<'a>(imports: impl Iterator<Item = &'a pickle::Import>) -> String {
    let names: Vec<String> = imports
        .take(6)
        .map(|import| {
            let name: String = format!("{}.{}", import.module, import.name).chars().take(60).collect();
            if import.called { format!("{name} (called)") } else { name }
        })
        .collect();
    names.join(", ")
}
