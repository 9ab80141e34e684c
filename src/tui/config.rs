//! The configuration file: theme, keys, a few switches. A mistake in it is one sentence with its
//! place, shown as a notice; everything else in the file still counts.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use etcetera::BaseStrategy as _;
use toml::de::{DeTable, DeValue};

use super::keymap::{Action, Key, Keymap};
use super::theme::{BUILT_IN, Level, Theme};
use crate::base::text::safe;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// `theme = "…"`.
    pub theme: Option<String>,
    /// `ascii = true`.
    pub ascii: bool,
    /// `synchronized-output = false`.
    pub no_sync: bool,
    /// `clipboard = "osc52"`, `"tmux"`, `"screen"`, `"off"`; none to find out.
    pub clipboard: Option<String>,
    /// `production = ["orion-prod", "123456789012"]`: accounts, by alias or number, that are marked as such.
    pub production: Vec<String>,
    /// `[keys]`.
    pub keymap: Keymap,
    /// What is wrong with it.
    pub problems: Vec<String>,
}

const SETTINGS: &str = "theme, ascii, synchronized-output, clipboard, production, [keys], [expect], [contexts]";

impl Config {
    /// Reads the file of a folder; no file is no mistake.
    pub fn load(folder: &Path) -> Self {
        let path = folder.join("config.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => Self {
                problems: vec![format!("{} cannot be read ({error}); the defaults are used", path.display())],
                ..Self::default()
            },
        }
    }

    /// From the text of the file at `path`.
    pub fn parse(path: &Path, text: &str) -> Self {
        let mut config = Self::default();
        let place = |at: Range<usize>| format!("{}:{}", path.display(), line_of(text, at.start));
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let what = error.message().replace('\n', ", ");
                let at = place(error.span().unwrap_or(0..0));
                config.problems.push(format!("{at}: not TOML: {what}; the defaults are used"));
                return config;
            }
        };
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            let wrong = |what: &str| format!("{}: '{name}' must be {what}", place(value.span()));
            match (name, value.get_ref()) {
                ("theme", DeValue::String(theme)) => config.theme = Some(theme.to_string()),
                ("theme", _) => config.problems.push(wrong("the name of a theme in quotes")),
                ("ascii", DeValue::Boolean(on)) => config.ascii = *on,
                ("synchronized-output", DeValue::Boolean(on)) => config.no_sync = !on,
                ("ascii" | "synchronized-output", _) => config.problems.push(wrong("true or false")),
                ("clipboard", DeValue::String(how))
                    if ["auto", "osc52", "tmux", "screen", "off"].contains(&how.as_ref()) =>
                {
                    config.clipboard = (how != "auto").then(|| how.to_string());
                }
                ("clipboard", _) => {
                    config.problems.push(wrong("\"auto\", \"osc52\", \"tmux\", \"screen\" or \"off\""));
                }
                ("production", DeValue::Array(list)) => {
                    for account in list {
                        match account.get_ref().as_str() {
                            Some(account) => config.production.push(account.to_owned()),
                            None => config.problems.push(wrong("a list of accounts in quotes")),
                        }
                    }
                }
                ("production", _) => config.problems.push(wrong("a list of accounts in quotes")),
                ("keys", DeValue::Table(keys)) => config.keys(keys, &place),
                ("keys", _) => config.problems.push(wrong("a table: [keys]")),
                // Read by the command line, before there is a console.
                ("expect" | "contexts", _) => {}
                (other, _) => config.problems.push(format!(
                    "{}: '{}' is no setting; settings are {SETTINGS}",
                    place(key.span()),
                    safe(other)
                )),
            }
        }
        config
    }

    fn keys(&mut self, keys: &DeTable<'_>, place: &impl Fn(Range<usize>) -> String) {
        let mut changed = Vec::new();
        for (name, value) in keys {
            let Some(action) = Action::named(name.get_ref()) else {
                self.problems.push(format!(
                    "{}: '{}' is no action; `?` in the console lists them",
                    place(name.span()),
                    safe(name.get_ref())
                ));
                continue;
            };
            let wanted: Result<Vec<Key>, String> = match value.get_ref() {
                DeValue::String(key) => {
                    key.parse().map(|key| vec![key]).map_err(|error: super::keymap::NotAKey| error.to_string())
                }
                DeValue::Array(list) => list
                    .iter()
                    .map(|key| {
                        let text = key.get_ref().as_str().ok_or("a key is written in quotes".to_owned())?;
                        text.parse().map_err(|error: super::keymap::NotAKey| error.to_string())
                    })
                    .collect(),
                _ => Err("a key is written in quotes".to_owned()),
            };
            match wanted {
                Ok(wanted) => {
                    self.keymap.remap(action, wanted);
                    changed.push((action, value.span()));
                }
                Err(what) => self.problems.push(format!("{}: {what}", place(value.span()))),
            }
        }
        for (action, span) in changed {
            if let Some(taken) = self.keymap.conflict(action) {
                self.problems.push(format!("{}: {taken}", place(span)));
            }
        }
        // why: without a way out the console would be a trap.
        for action in [Action::Stop, Action::Palette] {
            if self.keymap.of(action).is_empty() {
                self.keymap.remap(action, Keymap::default().of(action).to_vec());
                self.problems.push(format!("'{}' must keep a key; its own was kept", action.entry().name));
            }
        }
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The folder of the configuration: `$XDG_CONFIG_HOME/bedwatch`, else `~/.config/bedwatch`.
pub fn folder() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.config_dir().join("bedwatch"))
}

/// Finds a theme: a file of the folder's `themes/` before a built-in one.
pub fn theme(folder: Option<&Path>, name: &str, level: Level) -> Result<Theme, String> {
    let safe_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let file = folder.filter(|_| safe_name).map(|folder| folder.join("themes").join(format!("{name}.toml")));
    if let Some(file) = &file
        && file.exists()
    {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{} cannot be read ({error}); bedwatch-dark is used", file.display()))?;
        return Theme::parse(name, &text, level)
            .map_err(|bad| format!("{}:{}: {}", file.display(), line_of(&text, bad.at.start), bad.what));
    }
    Theme::built_in(name, level).ok_or_else(|| {
        let known: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        let own = file.map(|file| format!(", or write {}", file.display())).unwrap_or_default();
        format!("there is no theme '{}'; built in are {}{own}", safe(name), known.join(", "))
    })
}

/// When the file of a user's theme changed last; none for a built-in one.
pub fn theme_time(folder: &Path, name: &str) -> Option<SystemTime> {
    std::fs::metadata(folder.join("themes").join(format!("{name}.toml"))).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Config {
        Config::parse(Path::new("config.toml"), text)
    }

    #[test]
    fn a_good_file_counts() {
        let config = parse(
            "theme = \"nord\"\nascii = true\nsynchronized-output = false\n[keys]\ndown = [\"ctrl-n\", \"down\"]\nwho-can = \"W\"\n",
        );
        assert_eq!(config.problems, Vec::<String>::new());
        assert_eq!((config.theme.as_deref(), config.ascii, config.no_sync), (Some("nord"), true, true));
        assert_eq!(config.keymap.hint(Action::WhoCan), "W");
    }

    #[test]
    fn every_mistake_is_a_sentence_with_its_line() {
        for (text, problem) in [
            ("theme = 3", "config.toml:1: 'theme' must be the name of a theme in quotes"),
            ("\ncolour = 1", "config.toml:2: 'colour' is no setting; settings are"),
            ("[keys]\nfly = \"x\"", "config.toml:2: 'fly' is no action; `?` in the console lists them"),
            ("[keys]\ndown = \"hyper-x\"", "config.toml:2: 'hyper-x' is no key; write one letter"),
            ("[keys]\ndown = \"k\"", "config.toml:2: 'k' is already 'up' there"),
            ("[keys]\nstop = []", "'stop' must keep a key"),
            ("clipboard = \"xclip\"", "config.toml:1: 'clipboard' must be"),
            ("theme = ", "config.toml:1: not TOML:"),
        ] {
            let config = parse(text);
            assert_eq!(config.problems.len(), 1, "{text}: {:?}", config.problems);
            assert!(config.problems[0].starts_with(problem), "{}", config.problems[0]);
            assert!(!config.problems[0].contains('\n'));
        }
        let one_wrong = parse("theme = \"nord\"\nascii = 3\n");
        assert_eq!(one_wrong.theme.as_deref(), Some("nord"), "the rest still counts");
    }

    #[test]
    fn themes_of_the_user_come_first() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        let file = folder.path().join("themes/nord.toml");
        std::fs::write(&file, "[roles]\nlow = \"green\"\n").unwrap();
        let mine = theme(Some(folder.path()), "nord", Level::True).unwrap();
        assert_eq!(mine.style(super::super::theme::Role::Low).fg, Some(ratatui::style::Color::Green));
        std::fs::write(&file, "[roles]\nlow = \"mauvish\"\n").unwrap();
        let error = theme(Some(folder.path()), "nord", Level::True).unwrap_err();
        assert!(error.contains("nord.toml:2: 'mauvish' is no colour"), "{error}");
        let error = theme(Some(folder.path()), "none-such", Level::True).unwrap_err();
        assert!(error.contains("no theme 'none-such'") && error.contains("bedwatch-light"), "{error}");
        assert!(theme(Some(folder.path()), "../../etc/passwd", Level::True).is_err());
    }
}
