//! `?`: the keys, from the one table.

use super::filter;
use super::keymap::{ACTIONS, Context};
use super::model::Model;
use super::theme::Role;

/// The lines of the help.
pub fn lines(model: &Model) -> Vec<Vec<(Role, String)>> {
    let mut lines = Vec::new();
    for context in Context::ALL {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![(Role::Title, context.title().to_owned())]);
        for entry in ACTIONS.iter().filter(|entry| entry.context == context) {
            let keys = model.keymap.of(entry.action).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let keys = if keys.is_empty() { format!(":{}", entry.name) } else { keys };
            let mut line = vec![(Role::Key, format!("  {keys:<13}")), (Role::Text, entry.help.to_owned())];
            if let Some(why) = super::update::refusal(model, entry.action) {
                line.push((Role::Dim, format!("  ({why})")));
            }
            lines.push(line);
        }
    }
    lines.push(Vec::new());
    lines.push(vec![(Role::Title, "Filters".to_owned())]);
    for (what, means) in filter::HELP {
        lines.push(vec![(Role::Key, format!("  {what:<13}")), (Role::Text, (*means).to_owned())]);
    }
    let fields = super::pane::fields::names(model.pane).join(" ");
    for (row, part) in super::page::wrap(&fields, 60).into_iter().enumerate() {
        let label = if row == 0 { format!("in {}", model.pane.title()) } else { String::new() };
        lines.push(vec![(Role::Key, format!("  {label:<13}")), (Role::Dim, part)]);
    }
    lines
}
