//! Who we are and where; what went wrong.

use super::super::model::Model;
use super::super::page::Page;
use super::super::theme::Role;
use super::resource::when;
use crate::inventory::Mode;

/// `i`.
pub fn identity(model: &Model, width: usize) -> Page {
    let mut page = Page::new("who and where", width);
    let Some(session) = &model.session else {
        match &model.refused {
            Some(error) => {
                page.text(Role::High, &format!("No session: {error}."));
                page.gap();
                page.text(Role::Text, &format!("To do: {}.", error.kind.advice()));
            }
            None => page.text(Role::Dim, "AWS has not said yet who we are."),
        }
        return page;
    };
    page.field("principal", Role::Text, session.principal.as_str());
    page.field(
        "account",
        Role::Text,
        format!("{} {}", session.account, session.alias.as_ref().map(|alias| format!("({alias})")).unwrap_or_default()),
    );
    if model.options.production {
        page.field("marked", Role::Write, "PRODUCTION: fixes are confirmed by typing the account");
    }
    page.field("partition", Role::Text, session.partition.as_str());
    page.field("region", Role::Text, session.region.as_str());
    match &session.profile {
        Some(profile) => page.field("profile", Role::Text, profile.as_str()),
        // Without a network there are no credentials, and no profile that they would come from.
        None if matches!(session.mode, Mode::Demo | Mode::Case) => {}
        None => page.field("profile", Role::Text, "the default one"),
    }
    match &session.endpoint {
        Some(endpoint) => page.field("endpoint", Role::Notice, format!("{endpoint}  OVERRIDDEN: not AWS's own")),
        None if matches!(session.mode, Mode::Demo | Mode::Case) => {
            page.field("endpoint", Role::Dim, "none: no network");
        }
        None => page.field("endpoint", Role::Dim, "AWS's own"),
    }
    match session.expires {
        Some(at) => page.field(
            "credentials",
            if model.now.secs_since(at) > -900 { Role::High } else { Role::Text },
            format!("expire {}", when(model, at)),
        ),
        None => page.field("credentials", Role::Dim, "do not say when they expire"),
    }
    page.field(
        "mode",
        Role::Text,
        match session.mode {
            Mode::ReadOnly => {
                "READ-ONLY: no mutating request can leave this process; start with --write to change things"
            }
            Mode::Write => "WRITE: fixes can be applied, each after its preview and your confirmation",
            Mode::Demo => "DEMO: the bundled case; no network, fixes are rehearsed on a copy in memory",
            Mode::Case => "CASE: a saved file; no network, fixes can be previewed",
        },
    );
    page.field("session", Role::Dim, format!("number {}", session.generation.0));
    page.field("theme", Role::Dim, model.theme.name.clone());
    page
}

/// `!`.
pub fn errors(model: &Model, width: usize) -> Page {
    let mut page = Page::new("errors of this session", width);
    if model.problems.is_empty() {
        page.text(Role::Ok, "Nothing went wrong so far.");
    }
    for problem in model.problems.iter().rev() {
        page.field(&problem.at.clock(), Role::Text, &problem.text);
    }
    page
}
