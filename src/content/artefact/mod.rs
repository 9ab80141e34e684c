//! Model artefacts: what lies under an import prefix, looked at without loading or running anything. Headers and
//! directories are read by range; nothing is unpacked beyond a bound; pickles are read, never executed.

mod check;
mod config;
mod header;
mod imports;
mod kind;
mod opcodes;
mod pickle;
mod shards;
mod template;
mod zip;

pub use check::{Entry, Folder, LocalFolder, Report, check};
pub use imports::{Rating, rate};
pub use kind::Kind;
pub use pickle::{Import, Pickle, read as read_pickle};
pub use template::suspicious as suspicious_template;

use super::hit::{Findings, Hit, Place};
use super::rules::Rule;
use crate::base::Text;

/// Where findings about one file go.
struct Sink<'a> {
    findings: &'a mut Findings,
    uri: String,
}

impl Sink<'_> {
    fn add(&mut self, rule: &'static Rule, field: &str, shown: impl AsRef<str>) {
        self.at(rule, None, field, shown);
    }

    fn at(&mut self, rule: &'static Rule, byte: Option<u64>, field: &str, shown: impl AsRef<str>) {
        let uri = &self.uri;
        self.findings.add(rule, || Hit {
            rule,
            place: Place { uri: Text::new(uri), line: None, column: byte, field: short(field) },
            shown: short(shown.as_ref()),
            digest: Text::default(),
        });
    }

    /// The same file under another name: a member of an archive.
    fn within(&mut self, member: &str) -> Sink<'_> {
        Sink { uri: format!("{}!{}", self.uri, member.chars().take(200).collect::<String>()), findings: self.findings }
    }
}

/// Names of tensors, keys and members are outside text of any length.
fn short(text: &str) -> Text {
    Text::new(text.chars().take(200).collect::<String>())
}

#[cfg(test)]
mod tests;
