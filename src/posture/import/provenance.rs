//! Where weights come from: digests, versions, tags.

use std::collections::{BTreeMap, BTreeSet};

use super::super::baseline::Earlier;
use super::super::catalogue::framework::{ATLAS, FEDRAMP, GDPR, NIST, OWASP, PCI, SRA};
use super::super::control::Control;
use super::super::judge::{Judge, Problem, Subject, listed, unread};
use super::super::looked;
use super::super::verdict::{Area, Severity, Verdict};
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::bedrock::{ImportedModel, S3Uri};
use crate::inventory::objects::{Content, Dataset, Head, Purpose};
use crate::inventory::{Inventory, Kind, ResourceRef, SourceId};

pub(in crate::posture) const IMP_07: Control = Control {
    id: "CUS-IMP-07",
    title: "Weights have pinned provenance",
    severity: Severity::Medium,
    area: Area::Import,
    what: "weights and models that are imported",
    lists: super::WEIGHTS,
    tables: &[],
    details: &[SourceId::HEADS, SourceId::CONTENT, SourceId::TAGS],
    logic: "The SHA-256 that S3 keeps of each weights file must be the one that a manifest beside it gives (SHA256SUMS, \
            *.sha256). A file without one on either side is not pinned, which is a warning; a file written after its \
            import began fails. The imported model must be tagged with source, licence, approver and data \
            classification, by these names or common others; what is missing is a warning. Where an earlier look was kept \
            (`scan --deep --history CASE`), it pins what is still the same by digest or version; what is gone or not the \
            same since the import began fails.",
    reasons: &["digest-mismatch", "written-since-import", "changed-since-look", "not-pinned", "tags-missing"],
    remediation: "Upload weights with --checksum-algorithm SHA256 and a SHA256SUMS beside them, keep versioning on, and \
                  tag the model with where it comes from and who approved it.",
    cli: "aws bedrock tag-resource --resource-arn MODEL --tags key=source,value=… key=approver,value=…",
    compliance: &[
        (NIST, &["SR-4", "SR-11", "SI-7", "CM-8"]),
        (FEDRAMP, &["SR-11", "SI-7", "CM-8"]),
        (PCI, &["6.3.2"]),
        (GDPR, &["30"]),
        (OWASP, &["LLM03"]),
        (ATLAS, &["AML.M0013", "AML.M0014", "AML.M0023", "AML.M0025"]),
        (SRA, &["RAT"]),
    ],
    fixes: &[],
    evaluate: provenance,
};

/// What must be said of a model, and the names it goes by; case, `-`, `_` and `:` do not count.
const TAGS: [(&str, &[&str]); 4] = [
    ("source", &["source", "origin", "modelsource", "upstream", "provenance"]),
    ("licence", &["licence", "license", "modellicense", "modellicence"]),
    ("approver", &["approver", "approvedby", "approval"]),
    ("data classification", &["dataclassification", "classification", "datasensitivity"]),
];

fn provenance(judge: &Judge<'_>) -> Vec<Verdict> {
    let inventory = judge.context.inventory;
    let mut verdicts = Vec::new();
    let mut told: BTreeSet<ResourceId> = BTreeSet::new();
    let imports = imports(inventory);
    for model in inventory.imported_models.values() {
        let subject = judge.on(ResourceRef::new(Kind::ImportedModel, &model.arn));
        let detail = match model.detail.known() {
            Ok(detail) => detail,
            Err(unknown) => {
                verdicts.push(subject.unread(unread("bedrock:GetImportedModel", unknown)));
                continue;
            }
        };
        let mut facts = Facts::default();
        tags(model, &mut facts);
        let uri: Option<ResourceId> = detail.data.as_ref().map(|uri| uri.to_string().into());
        let data = uri.as_ref().and_then(|uri| inventory.data.get(uri));
        match (&uri, data) {
            (_, Some(data)) => weights(judge, data, &imports, &mut facts),
            (Some(uri), None) => facts.gap(judge.gap(SourceId::OBJECTS), &format!("{uri} was not listed")),
            (None, None) => facts.shows.push(("modelDataSource", "none".to_owned())),
        }
        let subject = subject.related(uri.iter().map(|uri| ResourceRef::new(Kind::Data, uri)));
        told.extend(uri);
        verdicts.extend(facts.conclude(subject));
    }
    // Weights of imports that made no model, or not yet.
    for data in looked::of(judge, &[Purpose::Import]).filter(|data| !told.contains(&data.uri)) {
        let mut facts = Facts::default();
        weights(judge, data, &imports, &mut facts);
        verdicts.extend(facts.conclude(looked::on(judge, data)));
    }
    verdicts
}

/// What is gathered about one import.
#[derive(Default)]
struct Facts {
    shows: Vec<(&'static str, String)>,
    problems: Vec<Problem>,
    gaps: Vec<String>,
}

impl Facts {
    fn gap(&mut self, gap: Option<Text>, or: &str) {
        self.gaps.push(gap.map_or_else(|| or.to_owned(), |gap| gap.to_string()));
    }

    /// What is wrong stands; nothing wrong is right only if everything was seen.
    fn conclude(self, subject: Subject<'_>) -> Vec<Verdict> {
        let mut shows = self.shows.into_iter();
        let Some((label, value)) = shows.next() else { return vec![subject.unread(self.gaps.join("; "))] };
        let draft = shows.fold(subject.shows(label, value), |draft, (label, value)| draft.shows(label, value));
        if self.problems.is_empty() && !self.gaps.is_empty() {
            return vec![draft.undecided("unread", self.gaps.join("; "))];
        }
        draft.conclude(self.problems, "its weights are those of their manifest, and its tags say where they come from")
    }
}

/// Prefix → when its first import began, and what that was.
type Imports = BTreeMap<ResourceId, (Timestamp, ResourceRef)>;

fn imports(inventory: &Inventory) -> Imports {
    let jobs = inventory.import_jobs.values().filter_map(|job| {
        let uri = job.detail.last()?.data.as_ref()?;
        Some((uri, job.created, ResourceRef::new(Kind::ImportJob, &job.arn)))
    });
    let models = inventory.imported_models.values().filter_map(|model| {
        let uri = model.detail.last()?.data.as_ref()?;
        Some((uri, model.created, ResourceRef::new(Kind::ImportedModel, &model.arn)))
    });
    let mut first = Imports::new();
    for (uri, at, by) in jobs.chain(models) {
        let held = first.entry(uri.to_string().into()).or_insert_with(|| (at, by.clone()));
        if at < held.0 {
            *held = (at, by);
        }
    }
    first
}

fn weights(judge: &Judge<'_>, data: &Dataset, imports: &Imports, facts: &mut Facts) {
    let listing = match data.listing.known() {
        Ok(listing) => listing,
        Err(unknown) => return facts.gaps.push(unread("s3:ListObjectsV2", unknown)),
    };
    facts.shows.push(("modelDataSource", data.uri.to_string()));
    if listing.objects == 0 {
        facts.problems.push(Problem::warn("not-pinned", format!("nothing lies at {} any more to compare", data.uri)));
        return;
    }
    let (content, heads) = match (data.content.known(), data.heads.known()) {
        (Ok(content), Ok(heads)) => (content, heads),
        (Err(unknown), _) => return facts.gaps.push(unread("s3:GetObject", unknown)),
        (_, Err(unknown)) => return facts.gaps.push(unread("s3:HeadObject", unknown)),
    };
    let is_weights = |head: &&Head| head.key.as_str().to_ascii_lowercase().ends_with(".safetensors");
    let files: Vec<&Head> = heads.objects.iter().filter(is_weights).collect();
    let import = imports.get(&data.uri);
    let looks = Looks::of(judge, data, import);
    digests(data, content, &files, &looks, facts);
    late(judge, import, &files, facts);
    if let Some(since) = looks.since {
        let whole = !listing.truncated && heads.objects.len() as u64 == heads.of;
        let differences = since.differences(heads, whole);
        facts.shows.push(("comparedWith", format!("look of {}", since.first.minute())));
        if !differences.is_empty() {
            let what = listed(&differences);
            let why = format!("under {} since the look of {}: {what}", data.uri, since.first.minute());
            facts.problems.push(Problem::fail("changed-since-look", why).shows("changes", what));
        }
    }
    facts.gaps.extend(heads.error.as_ref().map(|error| format!("{} heads could not be read: {error}", heads.failed)));
    let read = heads.objects.len();
    if listing.truncated || (read as u64 + heads.failed) < heads.of {
        facts.gaps.push(format!("only {read} of {} heads were read", heads.of));
    }
}

/// Earlier looks at weights.
#[derive(Default)]
struct Looks<'a> {
    /// The last before they were imported.
    before: Option<&'a Earlier>,
    /// What lay there when the import began, or the first after that.
    since: Option<&'a Earlier>,
}

impl<'a> Looks<'a> {
    fn of(judge: &Judge<'a>, data: &Dataset, import: Option<&(Timestamp, ResourceRef)>) -> Self {
        let Some((baseline, (began, _))) = judge.context.baseline.zip(import) else { return Self::default() };
        Self { before: baseline.before(&data.uri, *began), since: baseline.at(&data.uri, *began) }
    }

    /// Whether a file is the one that was seen about the time of the import.
    fn pin(&self, head: &Head) -> bool {
        [self.since, self.before].into_iter().flatten().any(|look| look.pins(head))
    }
}

/// Each weights file against what a manifest says of it, or what an earlier look saw.
fn digests(data: &Dataset, content: &Content, files: &[&Head], looks: &Looks<'_>, facts: &mut Facts) {
    let prefix = S3Uri::parse(data.uri.as_str()).map(|uri| uri.prefix.to_string()).unwrap_or_default();
    let (mut unpinned, mut matched, mut seen) = (Vec::new(), 0usize, 0usize);
    for head in files {
        let path = head.key.as_str().strip_prefix(&prefix).unwrap_or(head.key.as_str()).trim_start_matches('/');
        let name = path.rsplit('/').next().unwrap_or(path);
        let pinned = content.digests.get(&path.into()).or_else(|| content.digests.get(&name.into()));
        match (pinned, &head.sha256) {
            (Some(pinned), Some(held)) if pinned == held => matched += 1,
            (Some(pinned), Some(held)) => facts.problems.push(
                Problem::fail("digest-mismatch", format!("{} is not the file of its manifest", head.key))
                    .graded(Severity::Critical)
                    .shows("manifest", pinned)
                    .shows("ChecksumSHA256", held),
            ),
            _ if looks.pin(head) => seen += 1,
            (Some(_), None) => unpinned.push(format!("{path} (S3 keeps no SHA-256 of it)")),
            (None, _) => unpinned.push(format!("{path} (no manifest names it)")),
        }
    }
    if !unpinned.is_empty() {
        facts.problems.push(Problem::warn("not-pinned", format!("nothing pins {}", listed(unpinned))));
    }
    facts.shows.push(("digestsMatched", format!("{matched} of {}", files.len())));
    if seen > 0 {
        facts.shows.push(("asInEarlierLook", format!("{seen} of {}", files.len())));
    }
    if !content.signatures.is_empty() {
        facts.shows.push(("signatures", listed(&content.signatures)));
    }
}

/// Weights that were written after the first import of them began.
fn late(judge: &Judge<'_>, import: Option<&(Timestamp, ResourceRef)>, files: &[&Head], facts: &mut Facts) {
    let Some((began, by)) = import else { return };
    let late: Vec<_> = files.iter().filter(|head| head.modified.is_some_and(|at| at > *began)).collect();
    facts.shows.push(("importBegan", began.to_string()));
    if late.is_empty() {
        return;
    }
    let keys = listed(late.iter().map(|head| &head.key));
    let name = judge.context.name_of(by);
    let why = format!("{keys} was written after {name} began to read it at {began}");
    let problem = Problem::fail("written-since-import", why);
    facts.problems.push(late.iter().take(6).fold(problem, |problem, head| {
        let version = head.version.as_ref().map_or("no version", |version| version.as_str());
        problem.shows("lastModified", format!("{} {version}", head.key))
    }));
}

fn tags(model: &ImportedModel, facts: &mut Facts) {
    let tags = match model.tags.known() {
        Ok(tags) => tags,
        Err(unknown) => return facts.gaps.push(unread("bedrock:ListTagsForResource", unknown)),
    };
    let plain = |key: &str| key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let held: BTreeSet<String> =
        tags.iter().filter(|(_, value)| !value.is_empty()).map(|(key, _)| plain(key.as_str())).collect();
    let missing: Vec<&str> = TAGS
        .iter()
        .filter(|(_, names)| !names.iter().any(|name| held.contains(*name)))
        .map(|(what, _)| *what)
        .collect();
    facts.shows.push(("tags", if tags.is_empty() { "none".to_owned() } else { listed(tags.keys()) }));
    if !missing.is_empty() {
        let why = format!("no tag of {} tells its {}", model.name, listed(missing));
        facts.problems.push(Problem::warn("tags-missing", why));
    }
}

#[cfg(test)]
pub(in crate::posture) mod tests {
    use crate::inventory::{Inventory, Read};
    use crate::posture::Status::{Fail, Pass, Unknown, Warn};
    use crate::posture::fixtures::deep::{IMPORTED, WEIGHTS, content, head, only_head};
    use crate::posture::fixtures::*;
    use crate::posture::{Baseline, Severity};

    /// For the test that no sub-reason lacks a fixture.
    pub const ALL: &[fn()] = &[digests, tags, an_earlier_look_pins_and_tells_what_changed];

    const C: &str = "CUS-IMP-07";
    const M: &str = "imported1";

    fn check(what: &str, spoil: impl FnOnce(&mut Inventory), status: crate::posture::Status, code: &str) {
        expect(C, what, spoil, &[(M, status, code)]);
    }

    #[test]
    fn digests() {
        check("pinned", |_| {}, Pass, "ok");
        check("another file", |i| only_head(i, WEIGHTS).sha256 = Some("00".into()), Fail, "digest-mismatch");
        check("S3 knows none", |i| only_head(i, WEIGHTS).sha256 = None, Warn, "not-pinned");
        check("no manifest", |i| content(i, WEIGHTS).digests.clear(), Warn, "not-pinned");
        let late = |i: &mut Inventory| only_head(i, WEIGHTS).modified = Some(now().plus_secs(1));
        check("written after the import began", late, Fail, "written-since-import");
        let more = |i: &mut Inventory| {
            let heads = i.data.get_mut(WEIGHTS).unwrap().heads.known_mut().unwrap();
            heads.of = 2000;
        };
        check("a sample is not all", more, Unknown, "unread");
        let settings = |i: &mut Inventory| {
            let heads = i.data.get_mut(WEIGHTS).unwrap().heads.known_mut().unwrap();
            heads.objects.push(super::Head { sha256: None, ..head("weights/config.json") });
            heads.of = 2;
        };
        check("settings need no digest", settings, Pass, "ok");
        let mut inventory = healthy();
        only_head(&mut inventory, WEIGHTS).sha256 = Some("00".into());
        assert!(verdicts(&inventory, C).iter().any(|verdict| verdict.severity == Severity::Critical));
    }

    #[test]
    fn an_earlier_look_pins_and_tells_what_changed() {
        let unlisted = |i: &mut Inventory| content(i, WEIGHTS).digests.clear();
        let seen_at = |secs: i64| {
            let mut inventory = healthy();
            let data = inventory.data.get_mut(WEIGHTS).unwrap();
            data.heads = Read::got(data.heads.known().unwrap().clone(), now().plus_secs(secs));
            let mut baseline = Baseline::default();
            baseline.take(&inventory);
            baseline
        };
        let says = |baseline: &Baseline, spoil: &dyn Fn(&mut Inventory)| {
            let mut inventory = healthy();
            unlisted(&mut inventory);
            spoil(&mut inventory);
            let said = verdicts_since(&inventory, baseline, C);
            said.into_iter().map(|verdict| (verdict.status, verdict.code)).collect::<Vec<_>>()
        };
        let other = |i: &mut Inventory| only_head(i, WEIGHTS).sha256 = Some("00".into());
        let none = |i: &mut Inventory| {
            let head = only_head(i, WEIGHTS);
            (head.sha256, head.version) = (None, None);
        };
        for (what, secs) in [("before the import", -60), ("after it began", 60)] {
            assert_eq!(says(&seen_at(secs), &|_| {}), [(Pass, "ok")], "{what}");
            assert_eq!(says(&seen_at(secs), &none), [(Warn, "not-pinned")], "{what}");
        }
        assert_eq!(says(&seen_at(-60), &other), [(Warn, "not-pinned")], "weights may change before they are imported");
        assert_eq!(says(&seen_at(60), &other), [(Fail, "changed-since-look"), (Warn, "not-pinned")]);
        assert_eq!(says(&Baseline::default(), &|_| {}), [(Warn, "not-pinned")]);
    }

    #[test]
    fn tags() {
        let set = |i: &mut Inventory, pairs: &[(&str, &str)]| {
            let tags = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            i.imported_models.get_mut(IMPORTED).unwrap().tags = got(tags);
        };
        let four = [("Origin", "lab"), ("model:license", "mit"), ("approved-by", "zoe"), ("Data_Classification", "c2")];
        check("other names", |i| set(i, &four), Pass, "ok");
        check("none", |i| set(i, &[]), Warn, "tags-missing");
        check("three", |i| set(i, &four[..3]), Warn, "tags-missing");
        let hollow = [four[0], four[1], four[2], ("classification", "")];
        check("an empty one", |i| set(i, &hollow), Warn, "tags-missing");
    }

    #[test]
    fn weights_of_an_import_without_a_model_and_weights_that_are_gone() {
        expect(C, "no model yet", |i| i.imported_models.clear(), &[("weights", Pass, "ok")]);
        let gone = |i: &mut Inventory| {
            i.data.get_mut(WEIGHTS).and_then(|data| data.listing.known_mut()).unwrap().objects = 0;
        };
        check("gone", gone, Warn, "not-pinned");
        check("not listed", |i| i.data.clear(), Unknown, "unread");
    }
}
