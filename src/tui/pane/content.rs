//! What a deep look found under a prefix, in the page of its bucket.

use super::reason;
use super::resource::rows;
use crate::base::figures::{bytes, counted};
use crate::inventory::objects::Dataset;
use crate::inventory::read::Unknown;
use crate::inventory::{ResourceRef, SourceId};
use crate::tui::deep;
use crate::tui::model::Model;
use crate::tui::page::Page;
use crate::tui::theme::Role;

/// Findings of a prefix that are shown.
const SHOWN: usize = 6;

/// How much of it was looked into, and what is wrong with it.
pub fn found(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(data) = model.inventory.data.get(&of.id) else { return };
    if let Some(words) = looked(data) {
        page.text(words.0, &format!("  {}", words.1));
    }
    let own = model.judged.of(&model.assessment, &of.id);
    rows(page, own.iter().take(SHOWN).map(|verdict| (*verdict, reason::short(verdict))));
    if own.len() > SHOWN {
        page.text(Role::Dim, &format!("and {} more in Findings", own.len() - SHOWN));
    }
}

/// Where nobody looked into content and somebody could: how.
pub fn could_be(model: &Model, page: &mut Page) {
    if !model.inventory.coverage.is_deep() && deep::refusal(model).is_none() {
        page.text(Role::Dim, "What lies in the objects was not looked into; :deep does, and shows masks only.");
    }
}

fn looked(data: &Dataset) -> Option<(Role, String)> {
    let listed = match data.listing.known() {
        Ok(listing) => {
            let more = if listing.truncated { " and more" } else { "" };
            format!("{}{more}, {}", counted(listing.objects, "object"), bytes(listing.bytes))
        }
        Err(Unknown::NotAsked) => return None,
        Err(Unknown::Failed(error)) => return Some((Role::Unknown, error.to_string())),
    };
    Some(match data.content.known() {
        Ok(content) => {
            let records = match content.records {
                0 => String::new(),
                records => format!(", {}", counted(records, "record")),
            };
            let unread = match content.unread_objects {
                0 => String::new(),
                unread => format!("; {} could not be read whole", counted(unread, "object")),
            };
            let role = if content.unread_objects == 0 { Role::Text } else { Role::Unknown };
            (role, format!("{listed}; looked into {}{records}{unread}", counted(content.objects, "object")))
        }
        Err(Unknown::NotAsked) => (Role::Dim, format!("{listed}; not looked into")),
        Err(Unknown::Failed(error)) => (Role::Unknown, format!("{listed}; {}: {error}", SourceId::CONTENT.name())),
    })
}
