//! A scan in the formats that people and programs read, one file a format. Pure: a [`Scan`] in,
//! bytes out; results only, no progress and no colour.

mod json;
mod table;

use std::collections::BTreeMap;
use std::io;

use crate::base::Timestamp;
use crate::inventory::{CallStats, Coverage, SessionInfo};
use crate::posture::{Assessment, Status};

/// Everything a report tells.
#[derive(Debug)]
pub struct Scan<'a> {
    /// Whose account, which region.
    pub session: &'a SessionInfo,
    /// When it was judged.
    pub at: Timestamp,
    /// What the controls said, already filtered to what was asked for.
    pub assessment: &'a Assessment,
    /// What was seen, and what was not.
    pub coverage: &'a Coverage,
    /// What it cost.
    pub calls: &'a [CallStats],
    /// When each verdict's finding was seen first, by verdict id.
    pub first_seen: &'a BTreeMap<String, Timestamp>,
}

impl Scan<'_> {
    /// Verdicts of each status, in the order people look for them.
    pub fn by_status(&self) -> [(Status, usize); 5] {
        [Status::Fail, Status::Warn, Status::Unknown, Status::Pass, Status::NotApplicable]
            .map(|status| (status, self.assessment.count(status)))
    }
}

macro_rules! formats {
    ($($variant:ident = $name:literal, $extension:literal, $module:ident, $what:literal;)*) => {
        /// An output format. Declared once; the command line, its help and the docs derive from it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub enum Format {
            $(#[doc = $what] #[value(name = $name)] $variant,)*
        }

        impl Format {
            /// Ending of a file in this format.
            pub fn extension(self) -> &'static str {
                match self {
                    $(Self::$variant => $extension,)*
                }
            }

            /// Writes a scan.
            pub fn write(self, scan: &Scan<'_>, out: &mut dyn io::Write) -> io::Result<()> {
                match self {
                    $(Self::$variant => $module::write(scan, out),)*
                }
            }
        }
    };
}

formats! {
    Table = "table", "txt", table, "A table for people, 80 columns wide";
    Json = "json", "json", json, "JSON, schema bedwatch.scan/1";
}
