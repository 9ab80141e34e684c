//! What the configuration file says beyond looks: named contexts, and what is expected of the account. Looks and keys
//! are the console's (`tui::config`); a mistake in them is a notice there. A mistake here would change verdicts, so it
//! ends the command.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::{Exit, Target, Trouble};
use crate::posture::Expectations;

/// A named context: `[contexts.NAME]`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Named {
    profile: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    production: bool,
    /// What differs from `[expect]` there.
    expect: Table,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    expect: Table,
    contexts: BTreeMap<String, Named>,
}

/// What holds for one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Settings {
    /// What is expected of the account.
    pub(super) expect: Expectations,
    /// Whether the context says that this is production.
    pub(super) production: bool,
}

impl Settings {
    /// From the configuration of the user, for the context that was named. Fills in what the command line left open.
    pub(super) fn load(target: &mut Target) -> Result<Self, Trouble> {
        let file = crate::tui::config::folder().map(|folder| folder.join("config.toml"));
        let text = match file.as_deref().map(std::fs::read_to_string) {
            Some(Ok(text)) => text,
            // why: the console tells of a file that cannot be read, and goes on with the defaults.
            Some(Err(_)) | None => String::new(),
        };
        Self::parse(file.as_deref().unwrap_or(Path::new("config.toml")), &text, target)
    }

    fn parse(path: &Path, text: &str, target: &mut Target) -> Result<Self, Trouble> {
        let place = path.display();
        let wrong = |what: String| Trouble::new(Exit::Usage, what);
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            // why: the console has to open to say what is wrong with keys and themes; only what was asked for here counts.
            Err(_) if target.context.is_none() && !text.contains("[expect") && !text.contains("[contexts") => {
                File::default()
            }
            Err(error) => return Err(wrong(format!("{place}: {error}"))),
        };
        let mut settings = Self::default();
        let mut expect = file.expect;
        if let Some(name) = &target.context {
            let Some(context) = file.contexts.get(name) else {
                let known: Vec<_> = file.contexts.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(wrong(format!("there is no context '{name}' in {place}; it has: {known}")));
            };
            let fill = |held: &mut Option<String>, named: &Option<String>| {
                if held.is_none() {
                    held.clone_from(named);
                }
            };
            fill(&mut target.profile, &context.profile);
            fill(&mut target.region, &context.region);
            fill(&mut target.endpoint_url, &context.endpoint_url);
            settings.production = context.production;
            expect.extend(context.expect.clone());
        }
        settings.expect =
            Value::Table(expect).try_into().map_err(|error| wrong(format!("{place}: [expect]: {error}")))?;
        for account in &settings.expect.trusted_accounts {
            if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(wrong(format!("{place}: [expect]: '{account}' is no account: twelve digits in quotes")));
            }
        }
        if target.profile.is_none() {
            target.profile = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(context: Option<&str>) -> Target {
        Target {
            context: context.map(str::to_owned),
            profile: None,
            region: Some("eu-west-1".into()),
            endpoint_url: None,
            settings: Settings::default(),
        }
    }

    const FILE: &str = r#"
theme = "bedwatch-light"

[expect]
trusted-accounts = ["444455556666"]
max-model-admins = 3

[contexts.prod]
profile = "orion-prod"
region = "us-east-1"
production = true

[contexts.prod.expect]
max-model-admins = 2
approved-regions = ["us-east-1"]
"#;

    #[test]
    fn a_context_fills_in_what_was_not_said_and_narrows_what_is_expected() {
        let mut named = target(Some("prod"));
        let settings = Settings::parse(Path::new("c.toml"), FILE, &mut named).unwrap();
        assert_eq!((named.profile.as_deref(), named.region.as_deref()), (Some("orion-prod"), Some("eu-west-1")));
        assert!(settings.production);
        assert_eq!(settings.expect.max_model_admins, 2);
        assert!(settings.expect.trusted_accounts.contains("444455556666"));
        assert!(settings.expect.approved_regions.contains("us-east-1"));
        let settings = Settings::parse(Path::new("c.toml"), FILE, &mut target(None)).unwrap();
        assert_eq!((settings.production, settings.expect.max_model_admins), (false, 3));
        let settings = Settings::parse(Path::new("c.toml"), "", &mut target(None)).unwrap();
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn mistakes_say_where() {
        for (context, text, said) in [
            (Some("dev"), FILE, "there is no context 'dev' in c.toml; it has: prod"),
            (Some("dev"), "", "it has: none"),
            (None, "[expect]\nmax-admins = 3", "unknown field `max-admins`"),
            (None, "[expect]\ntrusted-accounts = [\"me\"]", "'me' is no account"),
            (None, "[expect]\nmax-model-admins = -1", "invalid value"),
            (Some("a"), "[contexts.a]\nregoin = \"x\"", "unknown field `regoin`"),
            (Some("a"), "[contexts.a.expect]\nunused-days = \"x\"", "invalid type"),
            (None, "[expect]\nnot toml", "c.toml"),
        ] {
            let error = Settings::parse(Path::new("c.toml"), text, &mut target(context)).unwrap_err();
            assert!(error.sentence.contains(said), "{text:?}: {}", error.sentence);
            assert_eq!(error.exit, Exit::Usage);
        }
        // Not ours to judge: the console says what is wrong with it.
        assert!(Settings::parse(Path::new("c.toml"), "theme = ", &mut target(None)).is_ok());
    }
}
