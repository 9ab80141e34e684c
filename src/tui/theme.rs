//! How things look, by role and not by colour: themes are tables from [`Role`] to a style, read
//! from TOML, reduced once to what the terminal can show. Nothing here decides what is shown.

use std::ops::Range;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::text::safe;
use crate::posture::{Severity, Status};

macro_rules! roles {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// What a piece of screen means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Role {
            /// Every role.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in a theme file.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

roles! {
    /// Plain text: the terminal's own colours.
    Text = "text";
    /// Labels and what matters less.
    Dim = "dim";
    /// Titles and column heads.
    Title = "title";
    /// What can be followed; the open tab.
    Accent = "accent";
    /// Lines around boxes.
    Border = "border";
    /// Good.
    Ok = "ok";
    /// Severity critical; failures.
    Critical = "critical";
    /// Severity high; denials.
    High = "high";
    /// Severity medium; warnings.
    Medium = "medium";
    /// Severity low.
    Low = "low";
    /// Not known.
    Unknown = "unknown";
    /// The row under the cursor.
    Selection = "selection";
    /// What a filter found, the statement a finding points at.
    Match = "match";
    /// Added lines of a diff.
    Added = "added";
    /// Removed lines of a diff.
    Removed = "removed";
    /// The badge READ-ONLY.
    ReadOnly = "read-only";
    /// The badge WRITE.
    Write = "write";
    /// The badges DEMO and CASE.
    Demo = "demo";
    /// Names of keys in the footer.
    Key = "key";
    /// Notices.
    Notice = "notice";
}

impl From<Severity> for Role {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Critical,
            Severity::High => Self::High,
            Severity::Medium => Self::Medium,
            Severity::Low => Self::Low,
        }
    }
}

impl From<Status> for Role {
    fn from(status: Status) -> Self {
        match status {
            Status::Fail => Self::High,
            Status::Warn => Self::Medium,
            Status::Unknown => Self::Unknown,
            Status::Pass => Self::Ok,
            Status::NotApplicable | Status::Muted => Self::Dim,
        }
    }
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// None: weight, underline and reverse only.
    None,
    /// The sixteen of every terminal.
    Sixteen,
    /// The cube of 256.
    Cube,
    /// Any.
    True,
}

impl Level {
    /// From the environment: `NO_COLOR` (no-color.org: any value that is not empty), `COLORTERM`, `TERM`.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let term = var("TERM").unwrap_or_default();
        if is_set("NO_COLOR") || term == "dumb" {
            return Self::None;
        }
        match var("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::True,
            _ if ["-direct", "kitty", "ghostty", "alacritty", "wezterm"].iter().any(|name| term.contains(name)) => {
                Self::True
            }
            _ if term.contains("256") => Self::Cube,
            _ => Self::Sixteen,
        }
    }
}

/// A theme, reduced to a level.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    styles: Vec<Style>,
}

/// Why a theme cannot be used: what, and at which byte of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadTheme {
    /// What is wrong and what to write instead.
    pub what: String,
    /// Where.
    pub at: Range<usize>,
}

/// The themes that are built in: name and TOML.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("bedwatch-dark", include_str!("../../themes/bedwatch-dark.toml")),
    ("bedwatch-light", include_str!("../../themes/bedwatch-light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("nord", include_str!("../../themes/nord.toml")),
];

impl Theme {
    /// A built-in theme by name.
    pub fn built_in(name: &str, level: Level) -> Option<Self> {
        let (name, toml) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        Self::parse(name, toml, level).ok()
    }

    /// The theme there is when no other was asked for.
    pub fn fallback(level: Level) -> Self {
        Self::built_in("bedwatch-dark", level)
            .unwrap_or_else(|| Self { name: "plain".into(), styles: vec![Style::new(); Role::ALL.len()] })
    }

    /// From TOML. Roles that it leaves out keep the style of `bedwatch-dark`.
    pub fn parse(name: &str, toml: &str, level: Level) -> Result<Self, BadTheme> {
        let table = DeTable::parse(toml)
            .map_err(|error| BadTheme { what: error.message().to_owned(), at: error.span().unwrap_or(0..0) })?;
        let mut styles = match name {
            "bedwatch-dark" => vec![Style::new(); Role::ALL.len()],
            _ => Self::fallback(Level::True).styles,
        };
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("roles", DeValue::Table(roles)) => {
                    for (role, style) in roles {
                        let (index, style) = entry(role, style)?;
                        styles[index] = style;
                    }
                }
                (other, _) => {
                    return Err(BadTheme {
                        what: format!("'{}' is nothing a theme has; put roles under [roles]", safe(other)),
                        at: key.span(),
                    });
                }
            }
        }
        let styles = styles.into_iter().map(|style| reduce(style, level)).collect();
        Ok(Self { name: name.to_owned(), styles })
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }
}

fn entry(role: &Spanned<std::borrow::Cow<'_, str>>, style: &Spanned<DeValue<'_>>) -> Result<(usize, Style), BadTheme> {
    let name = role.get_ref();
    let index = Role::ALL.iter().position(|known| known.name() == name.as_ref()).ok_or_else(|| BadTheme {
        what: format!(
            "'{}' is no role; roles are {}",
            safe(name),
            Role::ALL.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
        ),
        at: role.span(),
    })?;
    let style = style
        .get_ref()
        .as_str()
        .ok_or_else(|| "a style is a string such as \"red bold\"".to_owned())
        .and_then(parse_style)
        .map_err(|what| BadTheme { what, at: style.span() })?;
    Ok((index, style))
}

/// `red`, `#ff8800 on black bold`, `reversed`, `reset`.
fn parse_style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        style = match word {
            "bold" => style.add_modifier(Modifier::BOLD),
            "dim" => style.add_modifier(Modifier::DIM),
            "italic" => style.add_modifier(Modifier::ITALIC),
            "underlined" => style.add_modifier(Modifier::UNDERLINED),
            "reversed" => style.add_modifier(Modifier::REVERSED),
            "reset" => style,
            "on" => {
                let name = words.next().ok_or("a colour must follow 'on'")?;
                style.bg(colour(name)?)
            }
            name => style.fg(colour(name)?),
        };
    }
    Ok(style)
}

fn colour(name: &str) -> Result<Color, String> {
    name.parse().map_err(|_| {
        format!("'{}' is no colour; write a name (red, light-blue, dark-gray), #rrggbb or a number to 255", safe(name))
    })
}

fn reduce(style: Style, level: Level) -> Style {
    let mut reduced = style;
    reduced.fg = style.fg.and_then(|colour| reduce_colour(colour, level));
    reduced.bg = style.bg.and_then(|colour| reduce_colour(colour, level));
    if level == Level::None && style.bg.is_some_and(|bg| bg != Color::Reset) {
        // why: a badge without its background still has to look like one.
        reduced = reduced.add_modifier(Modifier::REVERSED);
    }
    reduced
}

fn reduce_colour(colour: Color, level: Level) -> Option<Color> {
    match (level, colour) {
        (Level::None, _) => None,
        (Level::True, colour) => Some(colour),
        (Level::Cube, Color::Rgb(r, g, b)) => Some(Color::Indexed(cube(r, g, b))),
        (Level::Sixteen, Color::Rgb(r, g, b)) => Some(sixteen(r, g, b)),
        (Level::Sixteen, Color::Indexed(index @ 16..)) => {
            let (r, g, b) = indexed(index);
            Some(sixteen(r, g, b))
        }
        (_, colour) => Some(colour),
    }
}

/// The nearest of xterm's 6×6×6 cube or its grey ramp.
fn cube(r: u8, g: u8, b: u8) -> u8 {
    let step = |c: u8| match c {
        0..48 => 0u8,
        48..115 => 1,
        c => (c - 35) / 40,
    };
    let in_cube = 16 + 36 * step(r) + 6 * step(g) + step(b);
    let mean = ((u16::from(r) + u16::from(g) + u16::from(b)) / 3) as u8;
    let in_ramp = 232 + (mean.saturating_sub(3) / 10).min(23);
    let far = |index| distance((r, g, b), indexed(index));
    if far(in_ramp) < far(in_cube) { in_ramp } else { in_cube }
}

/// The colour behind an index of 16 or more.
pub(super) fn indexed(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let grey = 8 + (index - 232) * 10;
        return (grey, grey, grey);
    }
    let index = index.saturating_sub(16);
    let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
    (level(index / 36), level(index / 6 % 6), level(index % 6))
}

/// The sixteen as xterm draws them.
pub(super) const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 49, 49)),
    (Color::Green, (13, 188, 121)),
    (Color::Yellow, (229, 229, 16)),
    (Color::Blue, (36, 114, 200)),
    (Color::Magenta, (188, 63, 188)),
    (Color::Cyan, (17, 168, 205)),
    (Color::Gray, (200, 200, 200)),
    (Color::DarkGray, (118, 118, 118)),
    (Color::LightRed, (241, 76, 76)),
    (Color::LightGreen, (35, 209, 139)),
    (Color::LightYellow, (245, 245, 67)),
    (Color::LightBlue, (59, 142, 234)),
    (Color::LightMagenta, (214, 112, 214)),
    (Color::LightCyan, (41, 184, 219)),
    (Color::White, (255, 255, 255)),
];

fn sixteen(r: u8, g: u8, b: u8) -> Color {
    SIXTEEN.iter().min_by_key(|(_, there)| distance((r, g, b), *there)).map_or(Color::Reset, |(colour, _)| *colour)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> i32 {
    let square = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
    square(a.0, b.0) + square(a.1, b.1) + square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_themes_name_every_role() {
        for (name, toml) in BUILT_IN {
            let theme = Theme::parse(name, toml, Level::True).unwrap();
            assert_eq!(theme.name, *name);
            for role in Role::ALL {
                assert!(toml.contains(&format!("{} =", role.name())), "{name} leaves out {}", role.name());
            }
            assert!(
                theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED),
                "{name}: the selection must show without colour"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (toml, what, at) in [
            ("[roles]\nlow = \"mauvish\"\n", "'mauvish' is no colour", 14),
            ("[roles]\nshiny = \"red\"\n", "'shiny' is no role", 8),
            ("[rolls]\n", "'rolls' is nothing", 1),
            ("[roles]\nlow = 3\n", "a style is a string", 14),
            ("[roles\n", "", 0),
        ] {
            let bad = Theme::parse("mine", toml, Level::True).unwrap_err();
            assert!(bad.what.contains(what), "{}", bad.what);
            assert!(bad.at.start >= at, "{toml}: {:?}", bad.at);
        }
    }

    #[test]
    fn levels_come_from_the_environment() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(Level::detect(env(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")])), Level::None);
        assert_eq!(Level::detect(env(&[("NO_COLOR", ""), ("TERM", "xterm-256color")])), Level::Cube);
        assert_eq!(Level::detect(env(&[("COLORTERM", "truecolor"), ("TERM", "tmux-256color")])), Level::True);
        assert_eq!(Level::detect(env(&[("TERM", "linux")])), Level::Sixteen);
        assert_eq!(Level::detect(env(&[("TERM", "dumb")])), Level::None);
    }

    #[test]
    fn colours_reduce_to_what_the_terminal_has() {
        let style = |level| Theme::built_in("nord", level).unwrap().style(Role::Critical);
        assert_eq!(style(Level::True).bg, Some(Color::Rgb(0xbf, 0x61, 0x6a)));
        assert!(matches!(style(Level::Cube).bg, Some(Color::Indexed(16..))));
        assert!(SIXTEEN.iter().any(|(colour, _)| Some(*colour) == style(Level::Sixteen).bg));
        assert_eq!((style(Level::None).fg, style(Level::None).bg), (None, None));
        assert!(style(Level::None).add_modifier.contains(Modifier::REVERSED | Modifier::BOLD));
        assert_eq!(cube(255, 255, 255), 231);
        assert_eq!(cube(128, 128, 128), 244);
    }
}
