//! A case as one JSON document, out and in.

use serde::{Deserialize, Serialize};

use super::error::CaseError;
use super::file::Case;
use super::journal::Entry;
use super::sightings::Sighting;
use super::story::Step;
use crate::activity::{Event, Invocation};
use crate::base::Timestamp;
use crate::inventory::{Inventory, SessionInfo};

/// What the `schema` of an exported case says.
pub const SCHEMA: &str = "bedwatch.case/1";

/// An exported case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// [`SCHEMA`].
    pub schema: String,
    /// Whose it is.
    pub session: SessionInfo,
    /// When the inventory was saved.
    pub saved_at: Timestamp,
    /// The newest inventory.
    pub inventory: Inventory,
    /// The events, newest first.
    #[serde(default)]
    pub events: Vec<Event>,
    /// The invocations, newest first, without prompts and completions.
    #[serde(default)]
    pub invocations: Vec<Invocation>,
    /// The journal, oldest first, with its hashes.
    #[serde(default)]
    pub journal: Vec<Entry>,
    /// When each finding was first and last seen.
    #[serde(default)]
    pub sightings: Vec<Sighting>,
    /// What happened then.
    #[serde(default)]
    pub story: Vec<Step>,
}

impl Export {
    /// From the text of an exported case.
    pub fn parse(json: &str) -> Result<Self, CaseError> {
        let bad = |why: String| CaseError::NotAnExport(why);
        // why looked at first: a document of another schema fails somewhere in its middle.
        #[derive(Deserialize)]
        struct Head {
            schema: Option<String>,
        }
        let head: Head = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
        match head.schema.as_deref() {
            Some(SCHEMA) => serde_json::from_str(json).map_err(|error| bad(error.to_string())),
            Some(other) => {
                Err(bad(format!("its schema is '{}', this bedwatch reads {SCHEMA}", crate::base::text::safe(other))))
            }
            None => Err(bad("it names no schema".to_owned())),
        }
    }

    /// As text.
    pub fn to_json(&self) -> Result<String, CaseError> {
        serde_json::to_string(self).map_err(|error| CaseError::damaged("case", error))
    }
}

impl Case {
    /// The newest inventory, all events and the journal. The chain of the journal is checked first.
    pub fn export(&self) -> Result<Export, CaseError> {
        self.verify()?;
        let newest = self.newest()?.ok_or_else(|| CaseError::damaged("inventory", "the case holds none yet"))?;
        Ok(Export {
            schema: SCHEMA.to_owned(),
            session: newest.session,
            saved_at: newest.at,
            inventory: newest.inventory,
            events: self.events(usize::MAX)?,
            invocations: self.invocations(usize::MAX)?,
            journal: self.entries()?,
            sightings: self.sightings()?,
            story: self.story()?,
        })
    }

    /// Fills an empty case from an export. The chain of the journal is checked.
    pub fn import(&self, export: &Export) -> Result<(), CaseError> {
        if self.newest()?.is_some() || self.head()?.entries > 0 {
            return Err(CaseError::NotAnExport("the case it should go into is not empty".to_owned()));
        }
        self.save(&export.session, &export.inventory, export.saved_at)?;
        self.add_events(&export.events)?;
        self.write_sightings(&export.sightings)?;
        self.add_invocations(&export.invocations)?;
        self.set_story(&export.story)?;
        self.restore(&export.journal)
    }

    /// A case in memory, from an export: the demo.
    pub fn from_export(export: &Export) -> Result<Self, CaseError> {
        let case = Self::in_memory()?;
        case.import(export)?;
        Ok(case)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::fix::JournalEntry;
    use crate::fix::journal::{Body, EntryKind};
    use proptest::prelude::*;

    fn filled(notes: &[String]) -> Case {
        let case = Case::in_memory().unwrap();
        let session = sample::session();
        case.save(&session, &sample::inventory(), Timestamp::from_secs(100)).unwrap();
        case.add_events(&[sample::event("e1", 1), sample::event("e2", 2)]).unwrap();
        case.add_invocations(&[sample::invocation("i1", 1), sample::invocation("i2", 2)]).unwrap();
        for (note, n) in notes.iter().zip(0..) {
            let body = Body::Text(note.as_str().into());
            case.append(&JournalEntry::new(EntryKind::Note, &session, Timestamp::from_millis(n), body)).unwrap();
        }
        case
    }

    #[test]
    fn what_is_no_export_says_why() {
        for (json, why) in [
            ("[", "EOF"),
            ("{}", "names no schema"),
            (r#"{"schema":"bedwatch.case/9"}"#, "bedwatch.case/9"),
            (r#"{"schema":"bedwatch.case/1"}"#, "session"),
        ] {
            let error = Export::parse(json).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_edited_export_is_found_out() {
        let mut export = filled(&["one".into(), "two".into()]).export().unwrap();
        export.journal[0].entry.body = Body::Text("other".into());
        let error = Case::from_export(&export).unwrap_err().to_string();
        assert!(error.contains("broken at entry 1"), "{error}");
        export.journal.remove(0);
        assert!(Case::from_export(&export).is_err());
    }

    #[test]
    fn only_an_empty_case_takes_an_export() {
        let case = filled(&[]);
        let export = case.export().unwrap();
        assert!(case.import(&export).is_err());
        assert!(Case::in_memory().unwrap().export().is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn out_and_in_and_out_is_the_same(notes in proptest::collection::vec(any::<String>(), 0..4)) {
            let export = filled(&notes).export().unwrap();
            let json = export.to_json().unwrap();
            let again = Case::from_export(&Export::parse(&json).unwrap()).unwrap();
            prop_assert_eq!(again.export().unwrap(), export);
            again.verify().unwrap();
        }
    }
}
