//! `screenshots`: pictures of the demo's screens, drawn by the application itself.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::{Exhibit, exhibit};
use super::{Exit, Trouble};
use crate::base::Clock;
use crate::inventory::Mode;
use crate::tui::driver::Driver;
use crate::tui::{self, Message, screenshot};

/// Where to.
#[derive(Debug, Args)]
pub(super) struct ScreenshotsArgs {
    /// The folder to write the SVG files into
    #[arg(default_value = "screenshots")]
    folder: PathBuf,
}

/// The pictures: file, size, and the keys that lead there (words in quotes are typed).
const PICTURES: &[(&str, u16, u16, &[Step])] = &[
    ("posture", 120, 40, &[]),
    ("findings", 120, 40, &[Step::Keys("2"), Step::Filter("OrionTuner")]),
    ("job", 80, 24, &[Step::Keys("3"), Step::Filter("orion-chat-2"), Step::Keys("enter")]),
    ("keys", 120, 40, &[Step::Keys("5"), Step::Filter("orion-chat")]),
    ("trail", 120, 40, &[Step::Keys("8"), Step::Filter("denied")]),
    (
        "fix",
        80,
        24,
        &[Step::Keys("2"), Step::Filter("OrionTuner customizes"), Step::Keys("f A"), Step::Type("orion-c")],
    ),
    ("fix-diff", 80, 24, &[Step::Keys("2"), Step::Filter("OrionTuner customizes"), Step::Keys("f tab")]),
    ("sources", 80, 24, &[Step::Keys("0")]),
    ("access", 120, 40, &[Step::Keys("5"), Step::Filter("orion-chat"), Step::Keys("a")]),
    (
        "access-why",
        80,
        24,
        &[Step::Keys("5"), Step::Filter("orion-chat"), Step::Keys("a"), Step::Filter("ci-runner"), Step::Keys("enter")],
    ),
];

/// One thing done before the picture is taken.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Keys by name.
    Keys(&'static str),
    /// `/`, these words, Enter.
    Filter(&'static str),
    /// Letters.
    Type(&'static str),
}

/// Runs it.
pub(super) fn run(args: &ScreenshotsArgs) -> Result<Exit, Trouble> {
    std::fs::create_dir_all(&args.folder).map_err(|error| failed(&args.folder, &error))?;
    for (name, width, height, steps) in PICTURES {
        let path = args.folder.join(format!("{name}.svg"));
        let picture = screenshot::svg(&draw(*width, *height, steps)?);
        std::fs::write(&path, picture).map_err(|error| failed(&path, &error))?;
    }
    Ok(Exit::Clean)
}

fn draw(width: u16, height: u16, steps: &[Step]) -> Result<ratatui::buffer::Buffer, Trouble> {
    let Exhibit { envelopes, at } = exhibit()?;
    // why a clock that stands still: the same commit makes the same pictures.
    let mut options = tui::Options::new(Clock::manual(at), Mode::Demo);
    options.level = tui::theme::Level::True;
    options.folder = None;
    let mut driver = Driver::new(options, width, height);
    driver.receive(envelopes);
    for step in steps {
        match step {
            Step::Keys(keys) => driver.keys(keys),
            Step::Filter(words) => {
                driver.keys("/");
                driver.text(words);
                driver.keys("enter");
            }
            Step::Type(letters) => driver.text(letters),
        }
    }
    driver.send(Message::Rested);
    Ok(driver.frame())
}

fn failed(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(Exit::Failure, format_args!("cannot write {}: {error}", path.display()))
}
