//! Keys while something over the panes takes them: help, palette, filter.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keymap::{Action, Context};
use super::message::Effect;
use super::model::{Model, Overlay};
use super::palette::Choice;
use super::update::perform;
use super::{layout, matrix, navigate};

/// A key while the help is open.
pub fn help(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let action = model.keymap.action(key.into(), &[Context::Everywhere]);
    let (_, rows) = layout::page_size(model.size);
    let most = super::help::lines(model).len().saturating_sub(rows);
    if let Some(Overlay::Help(scroll)) = &mut model.overlay {
        match action {
            Some(Action::Down) => *scroll += 1,
            Some(Action::Up) => *scroll = scroll.saturating_sub(1),
            Some(Action::HalfDown) => *scroll += rows / 2,
            Some(Action::HalfUp) => *scroll = scroll.saturating_sub(rows / 2),
            Some(Action::Top) => *scroll = 0,
            Some(Action::Bottom) => *scroll = most,
            _ => {
                model.overlay = None;
                model.dirty = true;
                return Vec::new();
            }
        }
        *scroll = (*scroll).min(most);
    }
    model.dirty = true;
    Vec::new()
}

/// A key while the palette is open.
pub fn palette(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = &mut model.overlay else { return Vec::new() };
    model.dirty = true;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Esc => model.overlay = None,
        KeyCode::Down | KeyCode::Tab => palette.step(true),
        KeyCode::Up | KeyCode::BackTab => palette.step(false),
        KeyCode::Char('n' | 'j') if control => palette.step(true),
        KeyCode::Char('p' | 'k') if control => palette.step(false),
        KeyCode::Enter => {
            let (chosen, typed) = (palette.chosen(), palette.line.text());
            model.overlay = None;
            match chosen {
                Some(Choice::Do(action)) => return perform(model, action),
                Some(Choice::Go(place)) => navigate::go(model, place),
                None => {
                    let why = matrix::no_such(model, &typed);
                    model.tell(why.unwrap_or_else(|| "command: nothing has that name".into()));
                }
            }
        }
        _ => {
            if palette.line.press(key) {
                palette.search();
            }
        }
    }
    Vec::new()
}

/// A key while the filter is typed: the list follows every letter.
pub fn filter(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    let Some(Overlay::Filter(line, before)) = &mut model.overlay else { return Vec::new() };
    model.dirty = true;
    match key.code {
        KeyCode::Enter => model.overlay = None,
        KeyCode::Esc => {
            let before = std::mem::take(before);
            model.overlay = None;
            matrix::set_filter(model, before);
        }
        KeyCode::Down | KeyCode::Up => navigate::step(model, if key.code == KeyCode::Down { 1 } else { -1 }),
        _ => {
            line.press(key);
            let text = line.text();
            matrix::set_filter(model, text);
        }
    }
    Vec::new()
}
