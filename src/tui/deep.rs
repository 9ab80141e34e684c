//! `:deep`: whether to look into content. Content is read only when somebody says so, after being told what that is.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::keymap::Action;
use super::layout;
use super::message::Effect;
use super::model::Model;
use super::page::wrap;
use super::theme::Role;
use super::view::{Draw, Span, clear};
use crate::inventory::Mode;
use crate::inventory::objects::{Purpose, named};
use crate::source::{Command, Depth};

/// Why content cannot be looked into here and now.
pub(super) fn refusal(model: &Model) -> Option<String> {
    match model.mode() {
        Mode::Case | Mode::Demo => Some("a saved case holds what was looked into when it was saved".into()),
        _ if model.gone => Some("the source of the data has ended; start again".into()),
        _ if model.session.is_none() => Some("there is no session yet".into()),
        _ if model.paused => Some(format!("reading is paused; {} goes on", model.keymap.hint(Action::Pause))),
        Mode::ReadOnly | Mode::Write => None,
    }
}

/// A key while it asks.
pub(super) fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    model.overlay = None;
    model.dirty = true;
    if key.code != KeyCode::Char('y') {
        model.tell("not looked into content");
        return Vec::new();
    }
    model.busy = true;
    model.tell("reading everything again, content last; Data and Findings show what is found");
    vec![Effect::Source(Command::Deep(Depth::default()))]
}

/// What it says before it asks.
fn words(model: &Model) -> Vec<(Role, String)> {
    let all = named(&model.inventory);
    let looked: Vec<_> =
        all.iter().filter(|data| data.purposes.iter().any(|purpose| *purpose != Purpose::Output)).collect();
    let logged =
        model.inventory.logging.known().is_ok_and(|set| set.as_ref().is_some_and(|set| set.cloud_watch.is_some()));
    let prefixes = match looked.len() {
        1 => "one prefix".to_owned(),
        count => format!("{count} prefixes"),
    };
    let talk = if logged { ", and the latest prompts and completions in the log group of invocations" } else { "" };
    let most = Depth::default().bytes >> 30;
    vec![
        (
            Role::Text,
            format!(
                "Reads what lies in S3 under {prefixes} that jobs and imports name: training and validation data, \
                 imported weights and code{talk}."
            ),
        ),
        (Role::Text, "What is found is shown by masks and digests, never as it stands there.".into()),
        (Role::Dim, String::new()),
        (
            Role::Dim,
            format!(
                "Everything else is read again first; content comes last, once, {most} GiB of objects at most. S3 \
                 bills the requests. It takes more rights: bedwatch policy --content prints them."
            ),
        ),
    ]
}

impl Draw<'_> {
    pub(super) fn deep(&self, buffer: &mut Buffer, body: Rect, footer: Rect) {
        let width = usize::from(body.width.min(92).saturating_sub(4));
        let lines: Vec<Span> = words(self.model)
            .into_iter()
            .flat_map(|(role, text)| wrap(&text, width).into_iter().map(move |line| (role, line)))
            .collect();
        let area = Rect { height: body.height.min(lines.len() as u16 + 2), width: body.width.min(92), ..body };
        let area = Rect { x: body.x + (body.width - area.width) / 2, ..area };
        clear(buffer, area);
        let inside = self.frame(buffer, area, &[(Role::Title, "Look into content?".into())], &[]);
        let (_, rows) = layout::inner(area);
        for (row, line) in lines.into_iter().take(rows).enumerate() {
            let here = Rect { x: inside.x + 1, y: inside.y + row as u16, width: inside.width - 1, height: 1 };
            self.spans(buffer, here, &[line]);
        }
        self.overlay_footer(buffer, footer, &[("y".to_owned(), "look"), ("any other key".to_owned(), "not now")]);
    }
}
