//! How far reading is: one line on stderr, drawn over, only when that is a terminal; and, in a deep look, a line for
//! each prefix that was looked into, whether or not it is one: who runs it should see what was read.

use std::io::{self, IsTerminal as _, Write as _};

use crate::base::Clock;
use crate::content::opinion;
use crate::inventory::{Inventory, Items, SessionInfo, Update};

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

    /// Tells what was looked into.
    pub(super) fn looked_into(&mut self, update: &Update) {
        let Update::Read(Items::Data(data)) = update else { return };
        for one in data {
            let Ok(content) = one.content.known() else { continue };
            let clear = if self.shown { "\r\x1b[K" } else { "" };
            let unread = match content.unread_objects {
                0 => String::new(),
                count => format!(", {count} not read whole"),
            };
            let opinion = content.opinion.as_ref().map_or(String::new(), |opinion| {
                let bytes = opinion.bytes;
                format!("; Comprehend of {bytes} bytes, for about {}: {}", opinion::spent(opinion), opinion.counted())
            });
            let line = format!("{} objects, {} bytes{unread}{opinion}", content.objects, content.bytes);
            // stderr may be closed; the scan goes on.
            let _ = writeln!(io::stderr(), "{clear}bedwatch: looked into {} ({}): {line}", one.uri, one.words());
        }
    }

    /// Takes it away.
    pub(super) fn end(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
