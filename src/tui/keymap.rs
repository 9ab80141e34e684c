//! Every action, declared once: its name, its keys, where it works, what it does. The footer, the
//! help, the palette, the configuration and the documentation derive from this table.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::base::text::safe;

/// Where a key means something. The first that knows a key wins: the innermost before [`Context::Everywhere`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Always, but in text fields.
    Everywhere,
    /// In lists of resources, findings, events, sources.
    List,
    /// In the Trail list and in an event.
    Trail,
    /// In pages: details, trees, lineage.
    Page,
    /// In the access matrix and in the page of a cell.
    Matrix,
    /// While a policy or a grant is tried otherwise.
    WhatIf,
    /// In the fix dialog.
    Fix,
}

impl Context {
    /// All, outermost first.
    pub const ALL: [Self; 7] =
        [Self::Everywhere, Self::List, Self::Trail, Self::Page, Self::Matrix, Self::WhatIf, Self::Fix];

    /// Headline in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::List => "In lists",
            Self::Trail => "In Trail and in an event",
            Self::Page => "In details and trees",
            Self::Matrix => "In the access matrix",
            Self::WhatIf => "In \"what if\"",
            Self::Fix => "In the fix dialog",
        }
    }
}

macro_rules! actions {
    ($($variant:ident, $name:literal, $context:ident, [$($key:literal),*], $short:literal, $help:literal;)*) => {
        /// What a key can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $(#[doc = $help] $variant,)*
        }

        /// Every action, in the order of the help.
        pub static ACTIONS: &[Entry] = &[
            $(Entry {
                action: Action::$variant,
                name: $name,
                context: Context::$context,
                keys: &[$($key),*],
                short: $short,
                help: $help,
            },)*
        ];
    };
}

/// One line of the table.
#[derive(Debug)]
pub struct Entry {
    /// Which.
    pub action: Action,
    /// Its name in the configuration and in the palette.
    pub name: &'static str,
    /// Where it works.
    pub context: Context,
    /// Its keys, unless remapped.
    pub keys: &'static [&'static str],
    /// A word or two for the footer.
    pub short: &'static str,
    /// What it does.
    pub help: &'static str,
}

actions! {
    Open, "open", Everywhere, ["enter"], "open", "Open what is under the cursor, or fold and unfold it";
    Back, "back", Everywhere, ["esc"], "back", "Go back: close what is open, clear the filter, one level up";
    Filter, "filter", List, ["/"], "filter", "Show only lines that fit what you type: words, and fields as sev:critical";
    Palette, "palette", Everywhere, [":"], "command", "Go to any pane, resource or action by name";
    Help, "help", Everywhere, ["?"], "help", "Show the keys";
    Quit, "quit", Everywhere, ["q"], "quit", "Leave the console";
    Down, "down", Everywhere, ["j", "down"], "down", "One line down";
    Up, "up", Everywhere, ["k", "up"], "up", "One line up";
    HalfDown, "half-page-down", Everywhere, ["ctrl-d", "pgdn"], "half page", "Half a page down";
    HalfUp, "half-page-up", Everywhere, ["ctrl-u", "pgup"], "half page", "Half a page up";
    Top, "top", Everywhere, ["g", "home"], "top", "To the first line";
    Bottom, "bottom", Everywhere, ["G", "end"], "bottom", "To the last line";
    HistoryBack, "history-back", Everywhere, ["["], "history", "To where you were before";
    HistoryForward, "history-forward", Everywhere, ["]"], "history", "Forward again";
    NextPane, "next-pane", Everywhere, ["tab"], "next pane", "To the next pane";
    PreviousPane, "previous-pane", Everywhere, ["shift-tab"], "previous pane", "To the previous pane";
    Posture, "posture", Everywhere, ["1"], "Posture", "Posture: scores, changes, the worst findings, what happens now";
    Findings, "findings", Everywhere, ["2"], "Findings", "Findings: all that is wrong or weak";
    Jobs, "jobs", Everywhere, ["3"], "Jobs", "Jobs: customization, import, copy, evaluation, batch";
    Models, "models", Everywhere, ["4"], "Models", "Models: custom, imported, received, and where they are served";
    Keys, "keys", Everywhere, ["5"], "Keys", "Keys: state, rotation, grants, use";
    Data, "data", Everywhere, ["6"], "Data", "Data: the buckets of lineage";
    Network, "network", Everywhere, ["7"], "Network", "Network: where jobs run";
    Trail, "trail", Everywhere, ["8"], "Trail", "Trail: what CloudTrail recorded";
    Invocations, "invocations", Everywhere, ["9"], "Invocations", "Invocations: who called which model, and where that is logged";
    Sources, "sources", Everywhere, ["0"], "Sources", "Sources: what was read, what was not, and why";
    Guardrails, "guardrails", Everywhere, [], "Guardrails", "Guardrails: what they filter, where they are enforced";
    Roles, "roles", Everywhere, [], "Roles", "Roles: what customization runs as, and who can become it";
    Journal, "journal", Everywhere, [], "Journal", "Journal: what was changed and shown from here";
    Compliance, "compliance", Everywhere, [], "Compliance", "Compliance: frameworks, which of their requirements are met, and what cannot be attested";
    Next, "next-match", List, ["n"], "next", "To the next marked line, or the next line that matches the last filter";
    Previous, "previous-match", List, ["N"], "previous", "To the previous one";
    Sort, "sort", List, ["s"], "sort", "Sort by the next column";
    Reverse, "reverse-sort", List, ["S"], "reverse", "Turn the order round";
    Mark, "mark", List, ["space"], "mark", "Mark the line, to come back to with n";
    Fix, "fix", Everywhere, ["f"], "fix", "Fix this: shows what would change before anything does";
    Events, "events", Everywhere, ["e"], "events", "What CloudTrail recorded about this";
    WhoCan, "who-can", Everywhere, ["a"], "who can", "Access: who can use this, by which statement";
    Lineage, "lineage", Everywhere, ["L"], "lineage", "What this was made from and what came of it";
    Raw, "raw", Everywhere, ["o"], "raw", "The whole record as a JSON tree";
    Copy, "copy", Everywhere, ["y"], "copy", "Copy the line to the clipboard of your terminal";
    CopyId, "copy-id", Everywhere, ["Y"], "copy ARN", "Copy the ARN to the clipboard of your terminal";
    Export, "export", Everywhere, ["w"], "export", "Write what is listed to a file";
    Refresh, "refresh", Everywhere, ["r"], "refresh", "Read everything again now";
    Pause, "pause", Everywhere, ["p"], "pause", "Stop and go on reading";
    Deep, "deep", Everywhere, [], "look into content", "Look into content: training data, imported weights, logged prompts; asks first, and shows masks only";
    Undo, "undo", Everywhere, ["u"], "undo list", "What was changed from here, to be taken back";
    Errors, "errors", Everywhere, ["!"], "errors", "What went wrong in this session";
    Changes, "changes", Everywhere, ["c"], "changes", "What changed since your last look, what expires, what was not seen and which permission that takes";
    Identity, "identity", Everywhere, ["i"], "identity", "Who you are, where, and by which endpoint";
    Suspend, "suspend", Everywhere, ["ctrl-z"], "suspend", "Back to the shell; fg returns";
    Redraw, "redraw", Everywhere, ["ctrl-l"], "redraw", "Draw the whole screen again";
    Stop, "stop", Everywhere, ["ctrl-c"], "quit", "Leave at once";
    Only, "only", Trail, ["="], "only this", "Only events of the same principal, or with this value";
    Except, "except", Trail, ["-"], "not this", "No events of the same principal, or with this value";
    GoTo, "go-to", Trail, ["t"], "go to", "To the resource that the event names";
    FoldAll, "fold-all", Page, ["h", "left"], "fold", "Fold all";
    UnfoldAll, "unfold-all", Page, ["l", "right"], "unfold", "Unfold all";
    Toggle, "toggle", Page, ["space"], "fold", "Fold or unfold what is under the cursor";
    MatrixLeft, "action-left", Matrix, ["h", "left"], "action", "The action to the left";
    MatrixRight, "action-right", Matrix, ["l", "right"], "action", "The action to the right";
    MatrixTab, "access-next-tab", Matrix, ["tab"], "other table", "Who can, who can obtain access, what was not seen";
    MatrixBackTab, "access-previous-tab", Matrix, ["shift-tab"], "other table", "The same backwards";
    WhatIf, "what-if", Matrix, ["E"], "what if", "Try another policy or fewer grants: who would gain and lose. Nothing is written";
    WhatIfNext, "what-if-next", WhatIf, ["tab"], "next part", "The policy, the grants, what would change";
    WhatIfPrevious, "what-if-previous", WhatIf, ["shift-tab"], "previous part", "The same backwards";
    WhatIfFix, "what-if-fix", WhatIf, ["ctrl-s"], "fix…", "The edited key policy as a plan of the fix dialog: diff, consequences, calls; it applies with --write only";
    WhatIfToggle, "what-if-grant", WhatIf, ["space"], "grant off/on", "Take the grant away, or give it back";
    FixNextTab, "fix-next-tab", Fix, ["tab"], "next tab", "The next tab of the dialog";
    FixPreviousTab, "fix-previous-tab", Fix, ["shift-tab"], "previous tab", "The previous tab of the dialog";
    FixNextPlan, "fix-next-plan", Fix, ["]"], "next way", "The next way to fix it";
    FixPreviousPlan, "fix-previous-plan", Fix, ["["], "previous way", "The previous way to fix it";
    FixEdit, "fix-edit", Fix, ["E"], "edit policy", "Edit the policy that would be written";
    FixConfirm, "fix-confirm", Fix, ["A"], "apply…", "Begin to apply: type the name of the resource, then ctrl-y. Enter never applies";
}

impl Action {
    /// Its line of the table.
    pub fn entry(self) -> &'static Entry {
        &ACTIONS[self as usize]
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|entry| entry.name == name).map(|entry| entry.action)
    }
}

/// One key press, as the configuration writes it: `j`, `G`, `ctrl-d`, `shift-tab`, `enter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a string names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no key; write one letter, or enter, esc, tab, space, up, down, left, right, home, end, pgup, pgdn, backspace, delete, f1 to f12, with ctrl-, alt- or shift- before it"
)]
pub struct NotAKey(String);

const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
];

impl Key {
    /// A key without modifiers.
    pub fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// As a terminal reports it.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        match code {
            // why: terminals differ in whether they report shift with a letter; the letter says it.
            KeyCode::Char(_) => modifiers.remove(KeyModifiers::SHIFT),
            KeyCode::BackTab => {
                code = KeyCode::Tab;
                modifiers.insert(KeyModifiers::SHIFT);
            }
            _ => {}
        }
        Self { code, modifiers }
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let no = || NotAKey(safe(text).chars().take(40).collect());
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (modifier, tail) = match rest.split_once('-') {
                Some(("ctrl", tail)) => (KeyModifiers::CONTROL, tail),
                Some(("alt", tail)) => (KeyModifiers::ALT, tail),
                Some(("shift", tail)) => (KeyModifiers::SHIFT, tail),
                _ => break,
            };
            modifiers.insert(modifier);
            rest = tail;
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_control() => KeyCode::Char(letter),
            _ => match NAMED.iter().find(|(name, _)| *name == rest) {
                Some((_, code)) => *code,
                None => rest
                    .strip_prefix('f')
                    .and_then(|n| n.parse().ok())
                    .filter(|n| (1..=12).contains(n))
                    .map(KeyCode::F)
                    .ok_or_else(no)?,
            },
        };
        if matches!(code, KeyCode::Char(_)) && modifiers.contains(KeyModifiers::SHIFT) {
            return Err(no());
        }
        Ok(Self { code, modifiers })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (modifier, name) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.modifiers.contains(modifier) {
                text.push_str(name);
            }
        }
        match (self.code, NAMED.iter().find(|(_, code)| *code == self.code)) {
            (KeyCode::Enter, _) => text.push_str("Enter"),
            (KeyCode::Esc, _) => text.push_str("Esc"),
            (KeyCode::Tab, _) => text.push_str("Tab"),
            (_, Some((name, _))) => text.push_str(name),
            (KeyCode::Char(letter), None) => text.push(letter),
            (KeyCode::F(n), None) => text.extend(["f".to_owned(), n.to_string()]),
            (_, None) => text.push('?'),
        }
        f.pad(&text)
    }
}

/// Which key does what, after the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: BTreeMap<Action, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |entry: &Entry| entry.keys.iter().filter_map(|key| key.parse().ok()).collect();
        Self { keys: ACTIONS.iter().map(|entry| (entry.action, keys(entry))).collect() }
    }
}

/// A key that two actions of one context want.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{key}' is already '{holder}' there; give '{holder}' another key as well")]
pub struct Taken {
    /// The key.
    pub key: Key,
    /// Who has it.
    pub holder: &'static str,
}

impl Keymap {
    /// Gives an action these keys instead of its own. All changes of a configuration are made
    /// first; [`Keymap::conflict`] then tells whether they fit together.
    pub fn remap(&mut self, action: Action, keys: Vec<Key>) {
        self.keys.insert(action, keys);
    }

    /// The first other action of the same context that also wants a key of this one.
    pub fn conflict(&self, action: Action) -> Option<Taken> {
        self.of(action).iter().find_map(|key| {
            let rival = ACTIONS.iter().find(|entry| {
                entry.action != action && entry.context == action.entry().context && self.of(entry.action).contains(key)
            })?;
            Some(Taken { key: *key, holder: rival.name })
        })
    }

    /// The keys of an action.
    pub fn of(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The first key of an action, as text; empty if it has none.
    pub fn hint(&self, action: Action) -> String {
        self.of(action).first().map(ToString::to_string).unwrap_or_default()
    }

    /// What a key does where `contexts` (innermost first) hold.
    pub fn action(&self, key: Key, contexts: &[Context]) -> Option<Action> {
        contexts.iter().find_map(|context| {
            let mut here = ACTIONS.iter().filter(|entry| entry.context == *context);
            here.find(|entry| self.of(entry.action).contains(&key)).map(|entry| entry.action)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_key_parses() {
        for (index, entry) in ACTIONS.iter().enumerate() {
            assert_eq!(entry.action as usize, index, "{}", entry.name);
            let by_name = super::super::pane::Pane::of(entry.action).is_some_and(|pane| !pane.is_tab());
            // why one without a key: it asks before it does anything, and nobody does it twice a day.
            assert!(!entry.keys.is_empty() || by_name || entry.action == Action::Deep, "{}", entry.name);
            assert!(!entry.short.is_empty() && entry.help.len() > 4, "{}", entry.name);
            for key in entry.keys {
                let parsed: Key = key.parse().unwrap();
                assert_eq!(parsed.to_string().to_lowercase(), key.to_lowercase());
            }
            assert_eq!(Action::named(entry.name), Some(entry.action));
        }
        let mut names: Vec<_> = ACTIONS.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTIONS.len());
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        let keymap = Keymap::default();
        for entry in ACTIONS {
            assert_eq!(keymap.conflict(entry.action), None, "{}", entry.name);
        }
    }

    #[test]
    fn the_inner_context_wins() {
        let keymap = Keymap::default();
        let tab = "tab".parse().unwrap();
        assert_eq!(keymap.action(tab, &[Context::Fix, Context::Everywhere]), Some(Action::FixNextTab));
        assert_eq!(keymap.action(tab, &[Context::List, Context::Everywhere]), Some(Action::NextPane));
        assert_eq!(keymap.action("=".parse().unwrap(), &[Context::List, Context::Everywhere]), None);
    }

    #[test]
    fn a_remapped_key_is_the_only_one_and_conflicts_are_told() {
        let mut keymap = Keymap::default();
        keymap.remap(Action::Down, vec!["ctrl-n".parse().unwrap()]);
        assert_eq!(keymap.hint(Action::Down), "ctrl-n");
        assert_eq!(keymap.action("j".parse().unwrap(), &[Context::Everywhere]), None);
        keymap.remap(Action::Pause, vec!["k".parse().unwrap()]);
        let taken = keymap.conflict(Action::Pause).unwrap();
        assert_eq!(taken.to_string(), "'k' is already 'up' there; give 'up' another key as well");
    }

    #[test]
    fn keys_of_terminals_are_keys_of_the_table() {
        for (event, key) in [
            (KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT), "G"),
            (KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT), "shift-tab"),
            (KeyEvent::new(KeyCode::BackTab, KeyModifiers::NONE), "shift-tab"),
            (KeyEvent::new(KeyCode::Char('d'), KeyModifiers::CONTROL), "ctrl-d"),
            (KeyEvent::new(KeyCode::Char('-'), KeyModifiers::NONE), "-"),
        ] {
            assert_eq!(Key::from(event), key.parse().unwrap());
        }
        for wrong in ["", "ctrl-", "shift-a", "hyper-x", "f13", "return"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }
}
