//! What was seen: inventories over time, events and invocations. Prompts and completions are not stored.

use rusqlite::{OptionalExtension as _, TransactionBehavior};

use super::error::CaseError;
use super::file::Case;
use crate::activity::{Event, Invocation};
use crate::base::{Text, Timestamp};
use crate::inventory::{Inventory, SessionInfo};
use crate::posture::Baseline;

/// An inventory at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When it was saved.
    pub at: Timestamp,
    /// Whose it is.
    pub session: SessionInfo,
    /// The inventory.
    pub inventory: Inventory,
}

/// The events of a case are capped at the newest of them; older ones make room.
pub const EVENTS_KEPT: usize = 50_000;

/// The same for invocations.
pub const INVOCATIONS_KEPT: usize = 5_000;

const BASELINE: &str = "baseline";

impl Case {
    /// Saves an inventory, and the session with it. One case belongs to one account and region.
    pub fn save(&self, session: &SessionInfo, inventory: &Inventory, at: Timestamp) -> Result<(), CaseError> {
        self.belongs_to(session)?;
        let session = write("session", session)?;
        let inventory = write("inventory", inventory)?;
        let mut connection = self.lock();
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute("INSERT OR REPLACE INTO inventories VALUES (?1, ?2, ?3)", (at.millis(), &session, &inventory))?;
        const META: &str = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        step.execute(META, ("session", &session))?;
        step.execute(META, ("saved_at", at.to_string()))?;
        step.commit()?;
        Ok(())
    }

    /// Refuses a session of another account or region than the one the case was begun in.
    pub fn belongs_to(&self, session: &SessionInfo) -> Result<(), CaseError> {
        let place = |s: &SessionInfo| format!("{} {}", s.account, s.region);
        match self.session()? {
            Some(held) if place(&held) != place(session) => {
                Err(CaseError::OtherSession { held: place(&held), asked: place(session) })
            }
            _ => Ok(()),
        }
    }

    /// The session that was saved last.
    pub fn session(&self) -> Result<Option<SessionInfo>, CaseError> {
        self.meta("session")?.map(|json| read("session", &json)).transpose()
    }

    /// When an inventory was saved last.
    pub fn saved_at(&self) -> Result<Option<Timestamp>, CaseError> {
        let text = self.meta("saved_at")?;
        text.map(|text| text.parse().map_err(|error| CaseError::damaged("saved_at", error))).transpose()
    }

    /// The newest inventory.
    pub fn newest(&self) -> Result<Option<Snapshot>, CaseError> {
        self.snapshot_at(Timestamp::from_millis(i64::MAX))
    }

    /// The newest inventory that is not younger than `at`.
    pub fn snapshot_at(&self, at: Timestamp) -> Result<Option<Snapshot>, CaseError> {
        const SQL: &str = "SELECT at, session, inventory FROM inventories WHERE at <= ?1 ORDER BY at DESC LIMIT 1";
        let row = self
            .lock()
            .query_row(SQL, [at.millis()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })
            .optional()?;
        row.map(|(at, session, inventory)| {
            let (session, inventory) = (read("session", &session)?, read("inventory", &inventory)?);
            Ok(Snapshot { at: Timestamp::from_millis(at), session, inventory })
        })
        .transpose()
    }

    /// What deep looks saw so far.
    pub fn baseline(&self) -> Result<Baseline, CaseError> {
        Ok(self.meta(BASELINE)?.map(|json| read(BASELINE, &json)).transpose()?.unwrap_or_default())
    }

    /// Keeps what deep looks saw so far. why beside the inventories: of those only the newest are kept.
    pub fn set_baseline(&self, baseline: &Baseline) -> Result<(), CaseError> {
        self.set_meta(BASELINE, &write(BASELINE, baseline)?)
    }

    /// When inventories were saved, newest first.
    pub fn snapshots(&self) -> Result<Vec<Timestamp>, CaseError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT at FROM inventories ORDER BY at DESC")?;
        let rows = query.query_map([], |row| row.get(0).map(Timestamp::from_millis))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Drops all but the newest `keep` inventories. Returns how many went.
    pub fn thin(&self, keep: usize) -> Result<usize, CaseError> {
        const SQL: &str =
            "DELETE FROM inventories WHERE at NOT IN (SELECT at FROM inventories ORDER BY at DESC LIMIT ?1)";
        Ok(self.lock().execute(SQL, [i64::try_from(keep).unwrap_or(i64::MAX)])?)
    }

    /// Adds events; those that are there already (by id) are left alone. Returns how many are new.
    pub fn add_events(&self, events: &[Event]) -> Result<usize, CaseError> {
        let mut connection = self.lock();
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut added = 0;
        for event in events {
            let json = write("event", event)?;
            // why: a record without an id is told from others by all of it.
            let id = if event.id.is_empty() { crate::base::digest::sha256(&json) } else { event.id.to_string() };
            added += step.execute("INSERT OR IGNORE INTO events VALUES (?1, ?2, ?3)", (id, event.at.millis(), json))?;
        }
        const CAP: &str = "DELETE FROM events WHERE id NOT IN (SELECT id FROM events ORDER BY at DESC, id LIMIT ?1)";
        let count: i64 = step.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
        let kept = i64::try_from(EVENTS_KEPT).unwrap_or(i64::MAX);
        if count > kept {
            step.execute(CAP, [kept])?;
        }
        step.commit()?;
        Ok(added)
    }

    /// The newest `limit` events, newest first.
    pub fn events(&self, limit: usize) -> Result<Vec<Event>, CaseError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT event FROM events ORDER BY at DESC, id LIMIT ?1")?;
        let rows = query.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get::<_, String>(0))?;
        rows.map(|json| read("event", &json?)).collect()
    }

    /// Adds invocations; those that are there already (by id) are left alone. Returns how many are new.
    pub fn add_invocations(&self, invocations: &[Invocation]) -> Result<usize, CaseError> {
        let mut connection = self.lock();
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut added = 0;
        for invocation in invocations {
            let json = write("invocation", invocation)?;
            let row = (invocation.id.as_str(), invocation.at.millis(), json);
            added += step.execute("INSERT OR IGNORE INTO invocations VALUES (?1, ?2, ?3)", row)?;
        }
        const CAP: &str =
            "DELETE FROM invocations WHERE id NOT IN (SELECT id FROM invocations ORDER BY at DESC, id LIMIT ?1)";
        let count: i64 = step.query_row("SELECT count(*) FROM invocations", [], |row| row.get(0))?;
        let kept = i64::try_from(INVOCATIONS_KEPT).unwrap_or(i64::MAX);
        if count > kept {
            step.execute(CAP, [kept])?;
        }
        step.commit()?;
        Ok(added)
    }

    /// The newest `limit` invocations, newest first.
    pub fn invocations(&self, limit: usize) -> Result<Vec<Invocation>, CaseError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT invocation FROM invocations ORDER BY at DESC, id LIMIT ?1")?;
        let rows = query.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get::<_, String>(0))?;
        rows.map(|json| read("invocation", &json?)).collect()
    }

    /// The newest event's time and id: where reading goes on.
    pub fn newest_event(&self) -> Result<Option<(Timestamp, Text)>, CaseError> {
        Ok(self.events(1)?.into_iter().next().map(|event| (event.at, event.id)))
    }
}

fn write<T: serde::Serialize>(what: &str, value: &T) -> Result<String, CaseError> {
    serde_json::to_string(value).map_err(|error| CaseError::damaged(what, error))
}

fn read<T: serde::de::DeserializeOwned>(what: &str, json: &str) -> Result<T, CaseError> {
    serde_json::from_str(json).map_err(|error| CaseError::damaged(what, error))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn inventories_come_back_by_time() {
        let case = Case::in_memory().unwrap();
        assert_eq!(case.newest().unwrap(), None);
        let session = sample::session();
        let (empty, full) = (Inventory::default(), sample::inventory());
        let at = Timestamp::from_secs;
        case.save(&session, &empty, at(10)).unwrap();
        case.save(&session, &full, at(20)).unwrap();
        assert_eq!(case.newest().unwrap().unwrap(), Snapshot { at: at(20), session: session.clone(), inventory: full });
        assert_eq!(case.snapshot_at(at(19)).unwrap().unwrap().inventory, empty);
        assert_eq!(case.snapshot_at(at(9)).unwrap(), None);
        assert_eq!((case.session().unwrap(), case.saved_at().unwrap()), (Some(session), Some(at(20))));
        assert_eq!(case.thin(1).unwrap(), 1);
        assert_eq!(case.snapshots().unwrap(), [at(20)]);
    }

    #[test]
    fn a_case_belongs_to_one_account_and_region() {
        let case = Case::in_memory().unwrap();
        let session = sample::session();
        case.save(&session, &Inventory::default(), Timestamp::from_secs(1)).unwrap();
        let other = SessionInfo { region: "eu-west-1".into(), ..session };
        let error = case.save(&other, &Inventory::default(), Timestamp::from_secs(2)).unwrap_err();
        assert!(error.to_string().contains("123456789012 us-east-1"), "{error}");
    }

    #[test]
    fn events_are_kept_once_and_come_newest_first() {
        let case = Case::in_memory().unwrap();
        let events: Vec<_> = (0..5).map(|n| sample::event(&format!("e{n}"), n)).collect();
        assert_eq!(case.add_events(&events).unwrap(), 5);
        assert_eq!(case.add_events(&events[2..]).unwrap(), 0);
        let ids: Vec<_> = case.events(2).unwrap().into_iter().map(|event| event.id.to_string()).collect();
        assert_eq!(ids, ["e4", "e3"]);
        assert_eq!(case.events(1).unwrap()[0], events[4]);
        assert_eq!(case.newest_event().unwrap(), Some((events[4].at, "e4".into())));
    }

    #[test]
    fn the_newest_invocations_are_kept_once_and_without_bodies() {
        let case = Case::in_memory().unwrap();
        let all: Vec<_> = (0..=INVOCATIONS_KEPT as i64).map(|n| sample::invocation(&format!("i{n}"), n)).collect();
        assert_eq!(case.add_invocations(&all).unwrap(), INVOCATIONS_KEPT + 1);
        let held = case.invocations(usize::MAX).unwrap();
        assert_eq!((held.len(), &held[0]), (INVOCATIONS_KEPT, all.last().unwrap()));
        assert_eq!(held.last().unwrap().id.as_str(), "i1", "the oldest went");
        assert_eq!(case.add_invocations(&all[1..]).unwrap(), 0);
        let text: String =
            case.lock().query_row("SELECT group_concat(invocation) FROM invocations", [], |row| row.get(0)).unwrap();
        assert!(text.contains("\"i1\"") && !text.contains("SECRET"));
    }

    #[test]
    fn what_was_edited_into_nonsense_says_what_it_is() {
        let case = Case::in_memory().unwrap();
        case.save(&sample::session(), &Inventory::default(), Timestamp::from_secs(1)).unwrap();
        case.lock().execute("UPDATE inventories SET inventory = '{\"keys\":7}'", []).unwrap();
        let error = case.newest().unwrap_err().to_string();
        assert!(error.contains("inventory cannot be read"), "{error}");
    }
}
