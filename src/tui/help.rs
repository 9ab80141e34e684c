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
    lines.push(Vec::new());
    lines.push(vec![(Role::Title, "Marks".to_owned())]);
    for (what, means) in MARKS {
        lines.push(vec![(Role::Key, format!("  {what:<13}")), (Role::Text, (*means).to_owned())]);
    }
    lines
}

/// What the marks of all screens mean.
const MARKS: &[(&str, &str)] = &[
    ("▲ ● ○ ·", "in the header: open failures, critical, high, medium and low"),
    ("?7", "in the header: what could not be judged; it is never counted as a pass"),
    ("cov 17/18", "sources that were read whole, of all that are to be read; 0 shows them"),
    ("STALE 5m", "something shown is from the last reading that worked, so long ago"),
    ("! CRIT", "the worst finding about the row itself"),
    ("! crit key", "something the row needs is worse off: its key, role, data, net, base model or job"),
    ("! ?", "nothing was found, but not everything could be looked at"),
    ("24H ▁▄█", "use in the last day, three hours a bar: · none, ? not known"),
    ("▲2 ✓1", "in Posture: findings that came, and that were closed, since your last look"),
    ("· ▸ ●", "before a line: it leads somewhere; the cursor; marked"),
    ("✓ ◐ ✗ · ?", "access: allowed, on a condition, denied, not allowed, cannot be told; ! before who is unexpected"),
];
