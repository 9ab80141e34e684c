//! The journal: append-only, each entry chained to the one before by SHA-256, so that an entry
//! which was edited, removed or moved is found. [`Head`] kept elsewhere also shows a cut-off end.

use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::error::CaseError;
use super::file::Case;
use crate::base::digest;
use crate::base::text::safe;
use crate::fix::journal::{Body, EntryKind};
use crate::fix::{FixError, JournalEntry, Recorder};

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// What it says.
    #[serde(flatten)]
    pub entry: JournalEntry,
    /// Hash of the entry before; 64 zeros for the first.
    pub prev_hash: String,
    /// Hash of this one.
    pub hash: String,
}

/// The end of the journal: what a person writes down to prove later that nothing was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// How many entries.
    pub entries: u64,
    /// Hash of the last; 64 zeros when there is none.
    pub hash: String,
}

/// Where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal is broken at entry {seq}: {why}: trust nothing after it, and compare with a copy of the case")]
pub struct Broken {
    /// Number of the entry.
    pub seq: u64,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Its hash does not follow from its fields.
    Edited,
    /// It does not name the hash of the entry before.
    Unchained,
    /// Its number is not the next one.
    Gap,
    /// It cannot be read.
    Unreadable(String),
    /// The journal ends before the head that was noted, or with another hash.
    CutOff,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("it was edited (its hash does not match)"),
            Self::Unchained => f.write_str("it does not follow the entry before it"),
            Self::Gap => f.write_str("an entry before it is missing"),
            Self::Unreadable(why) => write!(f, "it cannot be read ({why})"),
            Self::CutOff => f.write_str("the end was cut off or replaced"),
        }
    }
}

/// The columns of an entry, exactly as they stand in the file: what the hash is made of.
struct Columns {
    seq: i64,
    at: String,
    who: String,
    account: String,
    region: String,
    kind: String,
    body: String,
    prev_hash: String,
    hash: String,
}

const COLUMNS: &str = "seq, at, who, account, region, kind, body, prev_hash, hash";

impl Columns {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            who: row.get(2)?,
            account: row.get(3)?,
            region: row.get(4)?,
            kind: row.get(5)?,
            body: row.get(6)?,
            prev_hash: row.get(7)?,
            hash: row.get(8)?,
        })
    }

    /// SHA-256 of the previous hash and of every field with its length before it, so that no text
    /// can move from one field to the next unseen.
    fn digest(&self) -> String {
        let seq = self.seq.to_string();
        let mut all = String::new();
        for field in [&self.prev_hash, &seq, &self.at, &self.who, &self.account, &self.region, &self.kind, &self.body] {
            all.push_str(&field.len().to_string());
            all.push(':');
            all.push_str(field);
        }
        digest::sha256(all)
    }

    fn of(seq: i64, entry: &JournalEntry, prev_hash: String) -> Result<Self, CaseError> {
        let body = serde_json::to_string(&entry.body).map_err(|error| CaseError::damaged("journal entry", error))?;
        let mut columns = Self {
            seq,
            at: entry.at.to_string(),
            who: entry.who.to_string(),
            account: entry.account.to_string(),
            region: entry.region.to_string(),
            kind: entry.kind.word().to_owned(),
            body,
            prev_hash,
            hash: String::new(),
        };
        columns.hash = columns.digest();
        Ok(columns)
    }

    fn entry(self) -> Result<Entry, Broken> {
        let seq = u64::try_from(self.seq).unwrap_or_default();
        let bad = |why: String| Broken { seq, why: Why::Unreadable(safe(&why).into_owned()) };
        let body: Body = serde_json::from_str(&self.body).map_err(|error| bad(error.to_string()))?;
        let kind = EntryKind::from_word(&self.kind).ok_or_else(|| bad(format!("kind '{}'", self.kind)))?;
        let at = self.at.parse().map_err(|error| bad(format!("{error}")))?;
        let entry = JournalEntry {
            kind,
            at,
            who: self.who.into(),
            account: self.account.into(),
            region: self.region.into(),
            body,
        };
        Ok(Entry { seq, entry, prev_hash: self.prev_hash, hash: self.hash })
    }
}

impl Case {
    /// Appends an entry, safely beside other processes. Returns its number; it is on disk.
    pub fn append(&self, entry: &JournalEntry) -> Result<u64, CaseError> {
        let mut connection = self.lock();
        // why immediate: the last entry must not change between reading it and chaining to it.
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last = last(&step)?;
        let columns = Columns::of(last.0 + 1, entry, last.1)?;
        insert(&step, &columns)?;
        step.commit()?;
        Ok(u64::try_from(columns.seq).unwrap_or_default())
    }

    /// All entries, oldest first. An entry that cannot be read is an error; see [`Case::verify`].
    pub fn entries(&self) -> Result<Vec<Entry>, CaseError> {
        self.columns()?.into_iter().map(|columns| columns.entry().map_err(CaseError::from)).collect()
    }

    /// Checks the whole chain.
    pub fn verify(&self) -> Result<(), CaseError> {
        self.verified().map(|_| ())
    }

    /// Checks the whole chain, and that it still holds the entries up to a noted head.
    pub fn verify_from(&self, noted: &Head) -> Result<(), CaseError> {
        let hashes = self.verified()?;
        let held = match noted.entries {
            0 => true,
            n => usize::try_from(n - 1).ok().and_then(|n| hashes.get(n)) == Some(&noted.hash),
        };
        if held { Ok(()) } else { Err(Broken { seq: noted.entries, why: Why::CutOff }.into()) }
    }

    /// The end of the journal.
    pub fn head(&self) -> Result<Head, CaseError> {
        let (seq, hash) = last(&self.lock())?;
        Ok(Head { entries: u64::try_from(seq).unwrap_or_default(), hash })
    }

    /// Puts exported entries, with their hashes, into an empty journal.
    pub(super) fn restore(&self, entries: &[Entry]) -> Result<(), CaseError> {
        {
            let mut connection = self.lock();
            let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for held in entries {
                let seq = i64::try_from(held.seq).unwrap_or(i64::MAX);
                let columns =
                    Columns { hash: held.hash.clone(), ..Columns::of(seq, &held.entry, held.prev_hash.clone())? };
                insert(&step, &columns)?;
            }
            step.commit()?;
        }
        self.verify()
    }

    fn columns(&self) -> Result<Vec<Columns>, CaseError> {
        let connection = self.lock();
        let mut query = connection.prepare(&format!("SELECT {COLUMNS} FROM journal ORDER BY seq"))?;
        let rows = query.query_map([], Columns::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn verified(&self) -> Result<Vec<String>, CaseError> {
        let mut hashes = Vec::new();
        let mut prev = genesis();
        for (columns, expected) in self.columns()?.into_iter().zip(1..) {
            let seq = u64::try_from(columns.seq).unwrap_or_default();
            let broken = |why| Err(CaseError::from(Broken { seq, why }));
            if columns.seq != expected {
                return broken(Why::Gap);
            }
            if columns.prev_hash != prev {
                return broken(Why::Unchained);
            }
            if columns.digest() != columns.hash {
                return broken(Why::Edited);
            }
            prev.clone_from(&columns.hash);
            hashes.push(columns.hash.clone());
            columns.entry()?;
        }
        Ok(hashes)
    }
}

impl Recorder for Case {
    fn record(&self, entry: &JournalEntry) -> Result<u64, FixError> {
        self.append(entry).map_err(|error| FixError::Journal(error.to_string()))
    }
}

fn genesis() -> String {
    "0".repeat(64)
}

fn last(connection: &Connection) -> Result<(i64, String), CaseError> {
    let found = connection
        .query_row("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.unwrap_or_else(|| (0, genesis())))
}

fn insert(connection: &Connection, c: &Columns) -> Result<(), CaseError> {
    connection.execute(
        &format!("INSERT INTO journal ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        (c.seq, &c.at, &c.who, &c.account, &c.region, &c.kind, &c.body, &c.prev_hash, &c.hash),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn entry(n: u32) -> JournalEntry {
        JournalEntry {
            kind: EntryKind::Note,
            at: Timestamp::from_secs(i64::from(n)),
            who: "arn:aws:sts::123456789012:assumed-role/Oncall/zoe".into(),
            account: "123456789012".into(),
            region: "us-east-1".into(),
            body: Body::Text(format!("note {n}").into()),
        }
    }

    fn filled(n: u32) -> Case {
        let case = Case::in_memory().unwrap();
        for n in 1..=n {
            assert_eq!(case.append(&entry(n)).unwrap(), u64::from(n));
        }
        case
    }

    fn broken(case: &Case) -> Broken {
        match case.verify().unwrap_err() {
            CaseError::Journal(broken) => broken,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn entries_come_back_and_the_chain_holds() {
        let case = filled(3);
        let entries = case.entries().unwrap();
        assert_eq!(entries.iter().map(|e| e.entry.clone()).collect::<Vec<_>>(), [entry(1), entry(2), entry(3)]);
        assert_eq!(entries[0].prev_hash, "0".repeat(64));
        assert_eq!(entries[2].prev_hash, entries[1].hash);
        case.verify().unwrap();
        assert_eq!(case.head().unwrap(), Head { entries: 3, hash: entries[2].hash.clone() });
        Case::in_memory().unwrap().verify().unwrap();
    }

    #[test]
    fn whatever_is_edited_is_found() {
        for column in ["at", "who", "account", "region", "kind", "body"] {
            let case = filled(4);
            let sql = format!("UPDATE journal SET {column} = {column} || ' ' WHERE seq = 3");
            case.lock().execute(&sql, []).unwrap();
            assert_eq!(broken(&case), Broken { seq: 3, why: Why::Edited }, "{column}");
        }
        let case = filled(4);
        case.lock().execute("UPDATE journal SET hash = replace(hash, 'a', 'b') WHERE seq = 2", []).unwrap();
        assert_eq!(broken(&case).seq, 2);
        // With its hash made to fit, the next entry does not follow any more.
        let case = filled(4);
        let forged = Columns::of(3, &entry(9), case.entries().unwrap()[1].hash.clone()).unwrap();
        case.lock().execute("DELETE FROM journal WHERE seq = 3", []).unwrap();
        insert(&case.lock(), &forged).unwrap();
        assert_eq!(broken(&case), Broken { seq: 4, why: Why::Unchained });
    }

    #[test]
    fn whatever_is_removed_or_moved_is_found() {
        for (sql, seq, why) in [
            ("DELETE FROM journal WHERE seq = 1", 2, Why::Gap),
            ("DELETE FROM journal WHERE seq = 2", 3, Why::Gap),
            ("DELETE FROM journal WHERE seq = 2; UPDATE journal SET seq = seq - 1 WHERE seq > 2", 2, Why::Unchained),
            (
                "UPDATE journal SET seq = 99 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3;
                 UPDATE journal SET seq = 3 WHERE seq = 99",
                2,
                Why::Unchained,
            ),
        ] {
            let case = filled(4);
            case.lock().execute_batch(sql).unwrap();
            assert_eq!(broken(&case), Broken { seq, why }, "{sql}");
        }
    }

    #[test]
    fn a_noted_head_finds_a_cut_end() {
        let case = filled(4);
        let noted = case.head().unwrap();
        case.append(&entry(5)).unwrap();
        case.verify_from(&noted).unwrap();
        case.lock().execute("DELETE FROM journal WHERE seq > 3", []).unwrap();
        case.verify().unwrap();
        assert!(case.verify_from(&noted).unwrap_err().to_string().contains("cut off"));
        case.append(&entry(7)).unwrap();
        assert!(case.verify_from(&noted).is_err());
    }

    /// A fix on a copy, with the case as its journal: what is kept is enough to undo it.
    #[test]
    fn a_fix_is_remembered_whole() {
        use crate::base::Clock;
        use crate::fix::{self, Context, Plan, Rehearsal, apply, preview_with};
        use crate::inventory::{Document, Inventory, Mode, Read, SourceId, SourceReport, kms};
        use crate::posture::Assessment;

        let at = Timestamp::from_secs(100);
        let session = crate::inventory::SessionInfo { mode: Mode::Demo, ..super::super::sample::session() };
        let arn = "arn:aws:kms:us-east-1:123456789012:key/91b5";
        let policy = |sid: &str| {
            let root = "arn:aws:iam::123456789012:root";
            Document::new(format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{sid}","Effect":"Allow","Principal":{{"AWS":["{root}","arn:aws:iam::123456789012:user/zoe"]}},"Action":"kms:*","Resource":"*"}}]}}"#
            ))
        };
        let mut inventory = Inventory::default();
        let mut key = kms::Key::bare(arn);
        (key.policy, key.grants) = (Read::got(policy("A"), at), Read::got(Vec::new(), at));
        inventory.keys.insert(arn.into(), key);
        inventory.coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at, 0, &[]));
        let user = crate::inventory::iam::User {
            arn: "arn:aws:iam::123456789012:user/zoe".into(),
            name: "zoe".into(),
            user_id: "AIDA".into(),
            groups: Vec::new(),
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            created: at,
            tags: std::collections::BTreeMap::new(),
        };
        let session = crate::inventory::SessionInfo { principal: user.arn.clone(), ..session };
        inventory.users.insert(user.arn.clone(), user);
        let context = Context { session, production: false, expect: crate::posture::Expectations::default(), now: at };
        let (case, clock) = (Case::in_memory().unwrap(), Clock::manual(at));
        let rehearsal = Rehearsal::new(inventory.clone(), clock.clone());
        let make = |plan: &Plan| {
            let held = rehearsal.inventory();
            let preview = preview_with(plan, &held, &context, &|_| Assessment::default()).unwrap();
            let approved = preview.approve("91b5").unwrap();
            futures::executor::block_on(apply(&approved, &rehearsal, &case, &context.session, &clock)).unwrap()
        };
        make(&Plan::for_policy("FIX-03", "t", &inventory.keys[arn], policy("B"), None, &context).unwrap());
        assert_eq!(*rehearsal.inventory().keys[arn].policy.known().unwrap(), policy("B"));
        let entries: Vec<JournalEntry> = case.entries().unwrap().into_iter().map(|entry| entry.entry).collect();
        assert_eq!(entries.iter().map(|e| e.kind).collect::<Vec<_>>(), [EntryKind::Intended, EntryKind::Done]);
        assert!(fix::unfinished(&entries).is_empty());
        make(&fix::undo(fix::undoable(&entries)[0], &rehearsal.inventory(), &context).unwrap());
        assert_eq!(*rehearsal.inventory().keys[arn].policy.known().unwrap(), policy("A"));
        case.verify().unwrap();
        assert_eq!(case.head().unwrap().entries, 4);
    }

    #[test]
    fn two_that_write_at_once_make_one_chain() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("two.case");
        Case::create(&path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // Its own connection, as another process has.
                    let case = Case::open(&path).unwrap();
                    for n in 0..10 {
                        case.append(&entry(n)).unwrap();
                    }
                });
            }
        });
        let case = Case::open(&path).unwrap();
        case.verify().unwrap();
        assert_eq!(case.head().unwrap().entries, 40);
    }
}
