//! Mutes: findings someone has accepted, in the form of Prowler's mutelist, with an owner, a ticket
//! and an expiry of ours. A mute that has expired mutes nothing; one that matched nothing is told.
//!
//! Never muted: an Unknown. A mute accepts a known failure, not the lack of a look.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use regex::Regex;
use serde::Deserialize;

use super::verdict::{Assessment, Muted, Status, Verdict};
use crate::base::{Text, Timestamp};
use crate::inventory::{Inventory, Kind, ResourceRef, Tags};

/// A mutelist, read and checked.
#[derive(Debug, Default)]
pub struct Mutes {
    mutes: Vec<Mute>,
}

/// One account's entry for one check.
#[derive(Debug)]
struct Mute {
    account: String,
    /// A control's id, or a glob with `*`.
    check: String,
    regions: Vec<Pattern>,
    resources: Vec<Pattern>,
    /// `key=value`; all must match.
    tags: Vec<Pattern>,
    except: Except,
    expires: Option<Timestamp>,
    about: About,
}

/// Why and who, for the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct About {
    description: Option<Text>,
    owner: Option<Text>,
    ticket: Option<Text>,
}

#[derive(Debug, Default)]
struct Except {
    accounts: Vec<Pattern>,
    regions: Vec<Pattern>,
    resources: Vec<Pattern>,
    tags: Vec<Pattern>,
}

/// A regular expression as Prowler reads it: searched for anywhere; a leading `*` means anything.
#[derive(Debug)]
struct Pattern(Regex);

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// What was wrong with a mutelist file: where and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuteError(String);

impl fmt::Display for MuteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MuteError {}

/// Mutes that did not do what they were written for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct MuteReport {
    /// Past their date: what they muted is a finding again.
    pub expired: Vec<String>,
    /// Matched no finding of this account and region, although all was judged that they could be about.
    pub unmatched: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "Mutelist")]
    mutelist: Mutelist,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Mutelist {
    accounts: BTreeMap<String, Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Account {
    checks: BTreeMap<String, Entry>,
}

// why deny_unknown_fields: a misspelled `Expires` would be a mute that never ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Entry {
    regions: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    exceptions: Option<Exceptions>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    expires: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    ticket: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase", default)]
struct Exceptions {
    accounts: Vec<String>,
    regions: Vec<String>,
    resources: Vec<String>,
    tags: Vec<String>,
}

impl Mutes {
    /// Reads a mutelist: YAML in Prowler's form.
    pub fn parse(yaml: &str) -> Result<Self, MuteError> {
        let file: File = serde_saphyr::from_str(yaml).map_err(|error| MuteError(error.to_string()))?;
        let mut mutes = Vec::new();
        for (account, entry) in file.mutelist.accounts {
            for (check, entry) in entry.checks {
                let place = format!("account {account}, check {check}");
                mutes.push(
                    Mute::new(account.clone(), check, entry).map_err(|why| MuteError(format!("{place}: {why}")))?,
                );
            }
        }
        Ok(Self { mutes })
    }

    /// Mutes findings of one account and region, and tells which mutes had no use.
    pub fn apply(&self, assessment: &mut Assessment, inventory: &Inventory, place: &Place<'_>) -> MuteReport {
        let mut used = vec![false; self.mutes.len()];
        for verdict in assessment.verdicts.iter_mut().filter(|verdict| verdict.status.is_finding()) {
            let tags = tag_lines(inventory, &verdict.resource);
            let fits = |mute: &Mute| !mute.expired(place.now) && mute.matches(verdict, &tags, place);
            if let Some((at, mute)) = self.mutes.iter().enumerate().find(|(_, mute)| fits(mute)) {
                used[at] = true;
                let About { description, owner, ticket } = mute.about.clone();
                let muted = Muted { was: verdict.status, description, owner, ticket, expires: mute.expires };
                verdict.muted = Some(Box::new(muted));
                verdict.status = Status::Muted;
            }
        }
        let here = |mute: &&(&Mute, bool)| mute.0.account == "*" || mute.0.account == place.account;
        let known: Vec<_> = self.mutes.iter().zip(used).collect();
        let (expired, live): (Vec<_>, Vec<_>) =
            known.iter().filter(here).partition(|(mute, _)| mute.expired(place.now));
        MuteReport {
            expired: expired.iter().map(|(mute, _)| mute.name()).collect(),
            unmatched: live
                .iter()
                .filter(|(mute, used)| !used && mute.is_judged(assessment))
                .map(|(mute, _)| mute.name())
                .collect(),
        }
    }
}

/// Where and when the verdicts are from.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// The region's code.
    pub region: &'a str,
    /// When it was judged.
    pub now: Timestamp,
}

impl Mute {
    fn new(account: String, check: String, entry: Entry) -> Result<Self, String> {
        let except = entry.exceptions.unwrap_or_default();
        Ok(Self {
            account,
            check,
            regions: patterns("Regions", entry.regions)?,
            resources: patterns("Resources", entry.resources)?,
            tags: patterns("Tags", entry.tags.unwrap_or_default())?,
            except: Except {
                accounts: patterns("Exceptions.Accounts", except.accounts)?,
                regions: patterns("Exceptions.Regions", except.regions)?,
                resources: patterns("Exceptions.Resources", except.resources)?,
                tags: patterns("Exceptions.Tags", except.tags)?,
            },
            expires: entry.expires.as_deref().map(expiry).transpose()?,
            about: About {
                description: entry.description.map(Text::new),
                owner: entry.owner.map(Text::new),
                ticket: entry.ticket.map(Text::new),
            },
        })
    }

    /// Whether its check was judged as far as it goes. What could not be seen, and what takes `--deep` without it, cannot
    /// tell whether a mute has a use.
    fn is_judged(&self, assessment: &Assessment) -> bool {
        let check = self.check.to_uppercase();
        let mine = || assessment.verdicts.iter().filter(|verdict| glob(&check, verdict.control));
        let blind = |verdict: &&Verdict| verdict.code == Verdict::NEEDS_DEEP || verdict.status == Status::Unknown;
        let unseen: BTreeSet<&str> = mine().filter(blind).map(|verdict| verdict.control).collect();
        unseen.is_empty() || mine().any(|verdict| !unseen.contains(verdict.control))
    }

    fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| now >= end)
    }

    fn matches(&self, verdict: &Verdict, tags: &[String], place: &Place<'_>) -> bool {
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|pattern| pattern.matches(text));
        let resource =
            |patterns: &[Pattern]| any(patterns, verdict.name.as_str()) || any(patterns, verdict.resource.id.as_str());
        let tag = |pattern: &Pattern| tags.iter().any(|line| pattern.matches(line));
        let named = (self.account == "*" || self.account == place.account)
            && glob(&self.check.to_uppercase(), verdict.control)
            && any(&self.regions, place.region)
            && resource(&self.resources)
            && self.tags.iter().all(tag);
        named && !self.excepts(verdict, tags, place)
    }

    /// As Prowler: every part of the exceptions that is written must match.
    fn excepts(&self, verdict: &Verdict, tags: &[String], place: &Place<'_>) -> bool {
        let Except { accounts, regions, resources, tags: tagged } = &self.except;
        if accounts.is_empty() && regions.is_empty() && resources.is_empty() && tagged.is_empty() {
            return false;
        }
        let part = |patterns: &[Pattern], texts: &[&str]| {
            patterns.is_empty() || patterns.iter().any(|pattern| texts.iter().any(|text| pattern.matches(text)))
        };
        let lines: Vec<_> = tags.iter().map(String::as_str).collect();
        part(accounts, &[place.account])
            && part(regions, &[place.region])
            && part(resources, &[verdict.name.as_str(), verdict.resource.id.as_str()])
            && part(tagged, &lines)
    }

    fn name(&self) -> String {
        let mut name = format!("{} in account {}", Text::new(&self.check), Text::new(&self.account));
        for text in [&self.about.ticket, &self.about.owner].into_iter().flatten() {
            name.push_str(", ");
            name.push_str(text.as_str());
        }
        name
    }
}

fn patterns(field: &str, list: Vec<String>) -> Result<Vec<Pattern>, String> {
    let compile = |text: String| {
        let regex = if text.starts_with('*') { format!(".{text}") } else { text.clone() };
        let error = |error: regex::Error| {
            let why = error.to_string();
            format!("{field}: {text:?} is not a regular expression: {}", why.lines().last().unwrap_or_default().trim())
        };
        Regex::new(&regex).map(Pattern).map_err(error)
    };
    list.into_iter().map(compile).collect()
}

/// A day (to its end) or a time.
fn expiry(text: &str) -> Result<Timestamp, String> {
    let day = text.parse::<jiff::civil::Date>().ok().and_then(|day| day.tomorrow().ok());
    let time = match day {
        Some(day) => format!("{day}T00:00:00Z").parse(),
        None => text.parse(),
    };
    time.map_err(|_| format!("Expires: {text:?} is neither a day (2026-12-31) nor a time (2026-12-31T12:00:00Z)"))
}

/// `*` for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut rest = rest;
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// `key=value` of each tag that was read. Tags that were not read match no pattern: the finding stays.
fn tag_lines(inventory: &Inventory, reference: &ResourceRef) -> Vec<String> {
    let id = &reference.id;
    let read = match reference.kind {
        Kind::Job => inventory.jobs.get(id).and_then(|job| job.tags.known().ok()),
        Kind::Model => inventory.models.get(id).and_then(|model| model.tags.known().ok()),
        Kind::ImportedModel => inventory.imported_models.get(id).and_then(|model| model.tags.known().ok()),
        Kind::Role => inventory.roles.get(id).map(|role| &role.tags),
        Kind::User => inventory.users.get(id).map(|user| &user.tags),
        _ => None,
    };
    let lines = |tags: &Tags| tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    read.map(lines).unwrap_or_default()
}

#[cfg(test)]
#[path = "mutes_tests.rs"]
mod tests;
