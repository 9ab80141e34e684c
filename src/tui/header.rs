//! The first lines: who and where, what may be done, how it stands, and the tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr as _;

use super::pane::Pane;
use super::theme::Role;
use super::view::{Draw, Span};
use crate::base::text::shorten_middle;
use crate::inventory::Mode;
use crate::posture::Severity;

impl Draw<'_> {
    pub(super) fn header(&self, buffer: &mut Buffer, area: Rect) {
        let model = self.model;
        let wide = area.width >= 100;
        let mut left: Vec<Span> = vec![(Role::Text, " ".into())];
        if wide {
            left.push((Role::Title, "bedwatch".into()));
            left.push((Role::Text, "  ".into()));
        }
        match (&model.session, &model.refused) {
            (Some(session), _) => {
                let account = session.account.as_str();
                left.push((Role::Accent, session.account_name().to_owned()));
                if session.alias.is_some() && area.width >= 60 && (wide || !model.options.production) {
                    left.push((Role::Dim, format!(" {}", shorten_middle(account, 9))));
                }
                left.push((Role::Text, format!("  {}", session.region)));
                if wide {
                    left.push((Role::Dim, format!("  {}", session.principal_name())));
                }
            }
            (None, Some(error)) => left.push((Role::High, format!("no session: {}", error.kind.word()))),
            (None, None) => {
                let doing = match model.options.mode {
                    Mode::Demo => "opening the demo…",
                    Mode::Case => "opening the case…",
                    Mode::ReadOnly | Mode::Write => "asking AWS who we are…",
                };
                left.push((Role::Dim, doing.into()));
            }
        }
        let mut right: Vec<Span> = Vec::new();
        let badge = match model.mode() {
            Mode::ReadOnly => Role::ReadOnly,
            Mode::Write => Role::Write,
            Mode::Demo | Mode::Case => Role::Demo,
        };
        if model.options.production {
            right.push((Role::Write, if wide { " PRODUCTION " } else { " PROD " }.into()));
            right.push((Role::Text, " ".into()));
        }
        // why here: what stands left is cut where room is short, and this must not be.
        if model.session.as_ref().is_some_and(|session| session.endpoint.is_some()) {
            right.push((Role::Notice, "ENDPT ".into()));
        }
        right.push((badge, format!(" {} ", model.mode().badge())));
        // The low ones only where there is room: the others are what one looks for.
        let marks = if area.width >= 110 { &["▲", "●", "○", "·"][..] } else { &["▲", "●", "○"][..] };
        for ((severity, count), mark) in Severity::ALL.iter().zip(model.judged.open).zip(marks) {
            let role = if count > 0 { Role::from(*severity) } else { Role::Dim };
            // Nothing was judged yet: that is not nought.
            let count = if model.assessment.verdicts.is_empty() { "?".to_owned() } else { count.to_string() };
            right.push((Role::Text, if *severity == Severity::Critical { "  " } else { " " }.into()));
            right.push((role, format!("{mark}{count}")));
        }
        let unknown = model.judged.unknown.len();
        if unknown > 0 {
            right.push((Role::Unknown, format!(" ?{unknown}")));
        }
        if let Some(at) = model.judged.stale {
            let age = crate::base::time::span(model.now.secs_since(at).max(0));
            right.push((Role::High, format!(" STALE {age}")));
        }
        let (seen, all) = model.inventory.coverage.ratio(model.now);
        let coverage = if seen == all { Role::Ok } else { Role::Medium };
        let roomy = area.width >= 60;
        right.push(if roomy { (Role::Dim, "  cov ".into()) } else { (Role::Text, " ".into()) });
        right.push((coverage, format!("{seen}/{all}")));
        if roomy {
            right.push((Role::Text, "  ".into()));
            right.push(self.activity());
        }
        right.push((Role::Text, " ".into()));
        let width: usize = right.iter().map(|(_, text)| text.width()).sum();
        let start = area.right().saturating_sub(width.min(usize::from(area.width)) as u16);
        self.spans(buffer, Rect { width: start.saturating_sub(area.x + 1), ..area }, &left);
        self.spans(buffer, Rect { x: start, width: area.right() - start, ..area }, &right);
    }

    /// Spinner, pause or age: always as wide, so that nothing beside it moves.
    fn activity(&self) -> Span {
        let model = self.model;
        if model.gone && !matches!(model.mode(), Mode::Demo | Mode::Case) {
            (Role::High, format!("{:<5}", "ended"))
        } else if let (Some(_), Some(error)) = (&model.session, &model.refused) {
            // The screen is what was; the session is no more.
            (Role::High, error.kind.word().to_owned())
        } else if model.paused {
            (Role::Notice, "⏸ off".into())
        } else if model.busy {
            let step = model.spin % 8;
            let mark = "⠋⠙⠹⠸⠼⠴⠦⠧".chars().nth(step).unwrap_or('⠋');
            (Role::Accent, format!("{mark} {:<3}", model.age()))
        } else {
            (Role::Dim, format!("⟳ {:<3}", model.age()))
        }
    }

    pub(super) fn tabs(&self, buffer: &mut Buffer, area: Rect) {
        let shown = || Pane::ALL.iter().filter(|pane| pane.is_tab() || **pane == self.model.pane);
        let long: usize = shown().map(|pane| pane.title().len() + 4).sum();
        let wide = usize::from(area.width) > long;
        let mut spans: Vec<Span> = vec![(Role::Text, " ".into())];
        for pane in shown() {
            let name = if wide { pane.title() } else { pane.short() };
            let text = if !pane.is_tab() {
                name.to_owned()
            } else if wide {
                format!("{} {name}", pane.digit())
            } else {
                format!("{}{name}", pane.digit())
            };
            let (open, close) = if *pane == self.model.pane { ("[", "]") } else { ("", "") };
            let role = if *pane == self.model.pane { Role::Accent } else { Role::Dim };
            spans.push((role, format!("{open}{text}{close}")));
            spans.push((Role::Text, if wide { "  " } else { " " }.into()));
        }
        self.spans(buffer, area, &spans);
    }
}
