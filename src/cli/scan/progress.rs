//! How far reading is: one line on stderr, drawn over, only when that is a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use crate::base::Clock;
use crate::inventory::{Inventory, SessionInfo};

const WIDTH: usize = 24;

/// The line.
pub(super) struct Progress {
    shown: bool,
    place: String,
}

impl Progress {
    /// Of a session.
    pub(super) fn of(session: &SessionInfo) -> Self {
        let place = format!("{} {}", session.account_name(), session.region);
        Self { shown: io::stderr().is_terminal(), place }
    }

    /// Draws it.
    pub(super) fn tell(&mut self, inventory: &Inventory) {
        if self.shown {
            let (complete, all) = inventory.coverage.ratio(Clock::System.now());
            let bar = "#".repeat(complete * WIDTH / all.max(1));
            self.shown =
                write!(io::stderr(), "\r[{bar:<WIDTH$}] {complete}/{all} sources of {}\x1b[K", self.place).is_ok();
        }
    }

    /// Takes it away.
    pub(super) fn end(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
