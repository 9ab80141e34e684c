//! Settings of buckets, all the way: finding, plan, preview, apply on a copy, undo.

use futures::executor::block_on;
use serde_json::json;

use super::*;
use crate::base::Clock;
use crate::fix::sample::{at, context};
use crate::fix::{
    Confirm, Context, EntryKind, FixRecord, JournalEntry, Lockout, Plan, Preview, Recorder, Rehearsal, apply, file,
    preview_with, propose, undo,
};
use crate::inventory::{ErrorKind, Kind, Mode, ReadError, ResourceRef};
use crate::posture::{Assessment, Verdict};

const NAME: &str = "orion-train";

fn got<T>(value: T) -> Read<T> {
    Read::got(value, at(900))
}

fn denied<T>() -> Read<T> {
    let error = ReadError {
        operation: "s3:GetBucketPolicyStatus".into(),
        kind: ErrorKind::Denied,
        message: "no".into(),
        at: at(900),
    };
    Read::failed(error)
}

/// A private bucket with nothing switched on.
fn bucket() -> Bucket {
    Bucket {
        owned: got(true),
        region: got("eu-west-1".into()),
        public_access: got(PublicAccessBlock::default()),
        versioning: got(Versioning { enabled: false, mfa_delete: false }),
        policy_public: got(false),
        acl: got(vec!["owner FULL_CONTROL".into()]),
        ..Bucket::bare(NAME)
    }
}

fn inventory(bucket: Bucket) -> Inventory {
    let mut inventory = Inventory::default();
    inventory.buckets.insert(bucket.name.clone(), bucket);
    inventory
}

fn finding(control: &'static str) -> Verdict {
    let verdict = crate::fix::sample::finding(control, "off", &[]);
    Verdict { resource: ResourceRef::new(Kind::Bucket, NAME), name: NAME.into(), related: Vec::new(), ..verdict }
}

fn plan(control: &'static str, bucket: &Bucket) -> Plan {
    propose(&finding(control), &inventory(bucket.clone()), &context()).unwrap().remove(0)
}

fn shown(plan: &Plan, inventory: &Inventory) -> Preview {
    preview_with(plan, inventory, &context(), &|_| Assessment::default()).unwrap()
}

fn off(name: &str) -> Setting {
    let on = |switch: &str| switch != name;
    Setting::PublicAccess(PublicAccessBlock {
        block_acls: on("acls"),
        ignore_acls: on("ignore"),
        block_policy: on("policy"),
        restrict_buckets: on("restrict"),
    })
}

#[test]
fn lines_for_the_shell_and_words() {
    let at = BucketAt { name: NAME.into(), region: "eu-west-1".into(), owner: "123456789012".into() };
    let s3 = "aws s3api";
    let on = "--region eu-west-1 --bucket orion-train --expected-bucket-owner 123456789012";
    for (setting, operation, words, line) in [
        (
            off("policy"),
            "s3:PutPublicAccessBlock",
            "of public access blocks only BlockPublicAcls, IgnorePublicAcls, RestrictPublicBuckets",
            format!(
                "{s3} put-public-access-block {on} --public-access-block-configuration \
                 BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=true"
            ),
        ),
        (
            Setting::Versioning(true),
            "s3:PutBucketVersioning",
            "switches versioning on",
            format!("{s3} put-bucket-versioning {on} --versioning-configuration Status=Enabled"),
        ),
        (
            Setting::Versioning(false),
            "s3:PutBucketVersioning",
            "suspends versioning",
            format!("{s3} put-bucket-versioning {on} --versioning-configuration Status=Suspended"),
        ),
    ] {
        assert_eq!((setting.operation(), setting.words().as_str()), (operation, words));
        assert_eq!(setting.call(&at), line);
        let json = serde_json::to_string(&setting).unwrap();
        assert_eq!(serde_json::from_str::<Setting>(&json).unwrap(), setting, "{json}");
    }
    assert_eq!(Setting::CLOSED.words(), "blocks all public access");
    assert_eq!(Setting::PublicAccess(PublicAccessBlock::default()).words(), "blocks no public access");
}

#[test]
fn a_finding_on_a_bucket_gets_a_plan_with_its_consequences() {
    let held = inventory(bucket());
    let versions = plan("CUS-DAT-05", &bucket());
    assert_eq!((versions.fix.as_str(), &versions.confirm), ("FIX-10", &Confirm::Yes));
    let preview = shown(&versions, &held);
    let rows: Vec<String> = preview.summary.iter().map(|(label, value)| format!("{label}: {value}")).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    on: bucket orion-train  account 123456789012
    as: Oncall, session expires in 47m
    does: switches versioning on
    opens: nothing
    lockout: no: the policy is not touched
    drift: read 1m ago; read again and compared before anything is written
    closes: nothing
    gains: nobody
    loses: nobody
    undo: suspends versioning: versions kept by then stay, and cannot be unmade
    note: every version is stored and paid for until a lifecycle rule expires it
    note: versioning can be suspended later, but never switched off again
    ");
    assert_eq!((&preview.lockout, preview.size), (&Lockout::Untouched, None));
    let changed: Vec<_> = preview.diff.iter().filter(|line| line.kind != crate::fix::DiffKind::Same).collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(preview.after.buckets[NAME].versioning.known().unwrap().enabled);
    assert_eq!(held, inventory(bucket()), "the inventory itself is untouched");
    assert!(preview.approve("").is_err() && preview.approve("y").is_ok());

    // What is set already is not set again; other findings have no plan yet.
    let on = Bucket { versioning: got(Versioning { enabled: true, mfa_delete: true }), ..bucket() };
    assert!(propose(&finding("CUS-DAT-05"), &inventory(on), &context()).is_err());
    let error = propose(&finding("CUS-DAT-01"), &held, &context()).unwrap_err().to_string();
    assert!(error.contains("this version cannot change the bucket for CUS-DAT-01"), "{error}");
}

#[test]
fn who_loses_public_access_is_told_and_the_name_is_typed() {
    let all_users = "http://acs.amazonaws.com/groups/global/AllUsers READ";
    for (name, held, loses, unseen, confirm) in [
        ("private", bucket(), 0, false, Confirm::Yes),
        ("policy", Bucket { policy_public: got(true), ..bucket() }, 1, false, Confirm::TypeName(NAME.into())),
        ("acl", Bucket { acl: got(vec![all_users.into()]), ..bucket() }, 1, false, Confirm::TypeName(NAME.into())),
        ("unread", Bucket { policy_public: denied(), ..bucket() }, 0, true, Confirm::TypeName(NAME.into())),
        ("acl unread", Bucket { acl: Read::NotAsked, ..bucket() }, 0, true, Confirm::TypeName(NAME.into())),
    ] {
        let plan = plan("CUS-DAT-03", &held);
        let preview = shown(&plan, &inventory(held));
        assert_eq!((preview.loses.len(), preview.incomplete.is_some()), (loses, unseen), "{name}");
        assert_eq!((preview.confirm(), plan.fix.as_str()), (&confirm, "FIX-07"), "{name}");
        assert!(preview.gains.is_empty() && preview.loses.iter().all(|lost| lost.foreign), "{name}");
    }
    // Opening is the other side.
    let held = Bucket { policy_public: got(true), public_access: got(all_on()), ..bucket() };
    let open = Setting::PublicAccess(PublicAccessBlock::default());
    assert_eq!(open.effects(&held).gains.len(), 1);
    assert!(open.is_grave(&held));
    let production = Context { production: true, ..context() };
    let plan = Plan::for_setting("FIX-10", "t", &bucket(), Setting::Versioning(true), None, &production).unwrap();
    assert_eq!(plan.confirm, Confirm::TypeAlias("orion-prod".into()));
}

fn all_on() -> PublicAccessBlock {
    let Setting::PublicAccess(block) = Setting::CLOSED else { panic!("it is the four switches") };
    block
}

/// A journal in memory.
#[derive(Default)]
struct Pages(std::sync::Mutex<Vec<JournalEntry>>);

impl Recorder for Pages {
    fn record(&self, entry: &JournalEntry) -> Result<u64, FixError> {
        let mut entries = self.0.lock().unwrap();
        // As a case keeps it: what is written can be read again.
        let json = serde_json::to_string(entry).unwrap();
        entries.push(serde_json::from_str(&json).unwrap());
        Ok(entries.len() as u64)
    }
}

#[test]
fn it_is_made_read_back_and_taken_back() {
    for control in ["CUS-DAT-03", "CUS-DAT-05"] {
        let demo =
            Context { session: crate::inventory::SessionInfo { mode: Mode::Demo, ..context().session }, ..context() };
        let clock = Clock::manual(at(1000));
        let copy = Rehearsal::new(inventory(bucket()), clock.clone());
        let pages = Pages::default();
        let make = |plan: &Plan| {
            let preview = preview_with(plan, &copy.inventory(), &demo, &|_| Assessment::default()).unwrap();
            let approved = preview.approve(preview.confirm().wanted()).unwrap();
            let applied = block_on(apply(&approved, &copy, &pages, &demo.session, &clock)).unwrap();
            (preview.after, applied)
        };
        let (predicted, applied) = make(&plan(control, &bucket()));
        assert_eq!(copy.inventory(), predicted);
        let mut seen = inventory(bucket());
        for update in applied.after.iter().map(|held| held.update(&seen, at(1000)).unwrap()).collect::<Vec<_>>() {
            seen.apply(update);
        }
        assert_eq!(seen, predicted, "what was read back is what was predicted");
        let entry = pages.0.lock().unwrap().last().unwrap().clone();
        assert_eq!(entry.kind, EntryKind::Done);
        let FixRecord { before, after, undo: back, .. } = entry.fix().unwrap();
        assert_eq!((before.len(), after.len(), back.len()), (1, 1, 1));

        let ways = undo::ways(&entry, &copy.inventory(), &demo).unwrap();
        assert_eq!(ways.own, None);
        make(&ways.whole);
        let then = &copy.inventory().buckets[NAME];
        assert_eq!(then.versioning.known(), bucket().versioning.known());
        assert_eq!(then.public_access.known(), bucket().public_access.known());

        // Somebody has set it since: the undo shows that and stops.
        let mut since = inventory(bucket());
        let other = if control == "CUS-DAT-03" { off("acls") } else { Setting::Versioning(false) };
        other.put_into(since.buckets.get_mut(NAME).unwrap(), at(1500));
        let whole = undo::ways(&entry, &since, &demo).unwrap().whole;
        let error = preview_with(&whole, &since, &demo, &|_| Assessment::default()).unwrap_err();
        assert!(matches!(error, FixError::Drift { .. }) && !error.diff().is_empty(), "{error}");
    }
}

#[test]
fn only_a_bucket_of_ours_that_was_read_is_changed() {
    for (held, why) in [
        (Bucket { owned: got(false), ..bucket() }, "does not belong to account 123456789012"),
        (Bucket { owned: denied(), ..bucket() }, "owner of bucket orion-train"),
        (Bucket { region: Read::NotAsked, ..bucket() }, "region of bucket orion-train"),
        (Bucket { versioning: denied(), ..bucket() }, "versioning of bucket orion-train"),
    ] {
        let error = propose(&finding("CUS-DAT-05"), &inventory(held), &context()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let held = inventory(bucket());
    let plan = plan("CUS-DAT-05", &bucket());
    let text = serde_json::to_string(&file::to_json(&shown(&plan, &held), &context().session, at(1000))).unwrap();
    assert_eq!(file::parse(&text).unwrap(), plan);
    // A plan whose call goes elsewhere than its target is not shown, let alone made.
    for (from, to) in [("eu-west-1", "us-east-1"), ("\"owner\":\"123456789012\"", "\"owner\":\"999999999999\"")] {
        let text = serde_json::to_string(&plan).unwrap().replace(from, to);
        let error = preview_with(&serde_json::from_str(&text).unwrap(), &held, &context(), &|_| Assessment::default());
        assert!(error.unwrap_err().to_string().contains("besides its target"));
    }
    let mut unguarded = plan;
    unguarded.before.clear();
    let error = preview_with(&unguarded, &held, &context(), &|_| Assessment::default()).unwrap_err().to_string();
    assert!(error.contains("what must hold before s3:PutBucketVersioning"), "{error}");
    assert_eq!(json!(unguarded.changes[0])["operation"], "s3:PutSetting");
}

/// What was journaled before settings were known is read as it was meant.
#[test]
fn a_key_in_the_journal_is_still_a_key() {
    use crate::fix::Held;
    let held: Held = serde_json::from_str(r#"{"key":"k","state":{"policy":"{}","grants":[]}}"#).unwrap();
    assert_eq!(held.key().unwrap().key, "k");
    let at = BucketAt { name: NAME.into(), region: "eu-west-1".into(), owner: "123456789012".into() };
    let held = Held::Setting(crate::fix::SettingState { bucket: at, setting: Setting::CLOSED });
    let json = serde_json::to_string(&held).unwrap();
    assert_eq!(serde_json::from_str::<Held>(&json).unwrap(), held, "{json}");
}
