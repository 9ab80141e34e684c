//! What happened after the inventory was saved, step by step: what a recording holds and the demo tells.

use serde::{Deserialize, Serialize};

use super::error::CaseError;
use super::file::Case;
use crate::activity::{Event, Invocation};
use crate::inventory::Update;

/// One step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// Milliseconds after the inventory was saved.
    pub after_ms: u64,
    /// Changes to the inventory.
    pub updates: Vec<Update>,
    /// Events that arrived, newest first.
    pub events: Vec<Event>,
    /// Invocations that arrived, newest first.
    pub invocations: Vec<Invocation>,
}

impl Case {
    /// The story, in order; empty if none was recorded.
    pub fn story(&self) -> Result<Vec<Step>, CaseError> {
        let Some(json) = self.meta("story")? else { return Ok(Vec::new()) };
        serde_json::from_str(&json).map_err(|error| CaseError::damaged("story", error))
    }

    /// Keeps a story, in place of the one there was.
    pub fn set_story(&self, story: &[Step]) -> Result<(), CaseError> {
        let json = serde_json::to_string(story).map_err(|error| CaseError::damaged("story", error))?;
        self.set_meta("story", &json)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::inventory::Read;

    #[test]
    fn a_story_is_kept_and_exported() {
        let case = Case::in_memory().unwrap();
        assert_eq!(case.story().unwrap(), []);
        let updates = vec![Update::Logging(Read::NotAsked)];
        let (events, invocations) = (vec![sample::event("e1", 1)], vec![sample::invocation("i1", 1)]);
        let story = [Step { after_ms: 1500, updates, events, invocations }];
        case.set_story(&story).unwrap();
        case.save(&sample::session(), &sample::inventory(), crate::base::Timestamp::from_secs(1)).unwrap();
        let again = Case::from_export(&case.export().unwrap()).unwrap();
        assert_eq!(again.story().unwrap(), story);
        case.set_meta("story", "no story").unwrap();
        assert!(case.story().unwrap_err().to_string().contains("story"));
    }
}
