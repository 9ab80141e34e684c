//! Why a key or an action does nothing here and now, in words for the last line.

use super::keymap::{Action, Context, Key};
use super::list::Subject;
use super::model::Model;
use super::{matrix, navigate};
use crate::inventory::Mode;

/// Why a key means nothing here: it means something elsewhere, or nothing at all.
pub(super) fn elsewhere(model: &Model, key: Key, here: &[Context]) -> String {
    let help = model.keymap.hint(Action::Help);
    let mut found = Context::ALL.into_iter().filter(|context| !here.contains(context));
    match found.find_map(|context| Some((context, model.keymap.action(key, &[context])?))) {
        Some((context, action)) => {
            let place = context.title();
            let place = place.strip_prefix("In ").map_or_else(|| place.to_lowercase(), |rest| format!("in {rest}"));
            format!("{key} {}: only {place}", action.entry().short)
        }
        None => format!("{key} is no key here; {help} shows the keys"),
    }
}

/// Why an action does nothing here and now.
pub fn refusal(model: &Model, action: Action) -> Option<String> {
    let nothing = || "nothing is under the cursor".to_owned();
    match action {
        Action::Fix => match navigate::findings(model).as_slice() {
            [] => Some("nothing to fix".into()),
            all if all.iter().all(|verdict| verdict.fixes.is_empty()) => Some("by hand; Enter says how".into()),
            _ => None,
        },
        Action::Open if model.stack.is_empty() => model.list().selected().is_none().then(nothing),
        Action::WhoCan => matrix::refusal(model),
        Action::Events | Action::Lineage | Action::CopyId => {
            model.resource().is_none().then(|| "no resource is under the cursor".into())
        }
        Action::Raw => {
            let held = matches!(model.subject(), Some(Subject::Event(_) | Subject::Invocation(_)))
                || model.resource().is_some_and(|resource| model.inventory.holds(&resource));
            (!held).then(|| "nothing under the cursor has a record".into())
        }
        Action::Copy | Action::Mark => model.subject().is_none().then(nothing),
        Action::Next | Action::Previous if model.list().subjects.is_empty() => Some(nothing()),
        Action::Refresh | Action::Pause if matches!(model.mode(), Mode::Case) => Some("a case does not change".into()),
        Action::Refresh | Action::Pause if model.gone => Some("the source of the data has ended; start again".into()),
        Action::Only | Action::Except => {
            let event = matches!(model.subject(), Some(Subject::Event(_)));
            (!event).then(|| "no event is under the cursor".into())
        }
        Action::GoTo => model.resource().is_none().then(|| "the event names no resource that was read".into()),
        Action::Deep => super::deep::refusal(model),
        Action::HistoryBack => model.back.is_empty().then(|| "there is no earlier place".into()),
        Action::HistoryForward => model.forward.is_empty().then(|| "there is no later place".into()),
        _ => None,
    }
}
