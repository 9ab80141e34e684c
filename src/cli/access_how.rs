//! How a request is made, as the command line says it: by itself or forwarded, from where, under which session policy.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, Trouble};
use crate::access::{ContextValue, Deciding, Guards, Layer, Policy, Scenario, Through};
use crate::base::Text;
use crate::inventory::{Document, Inventory};

/// How the request is made.
#[derive(Debug, Clone, Args)]
pub(super) struct How {
    /// The request is forwarded by this service (bedrock.us-east-1.amazonaws.com)
    #[arg(long, value_name = "HOST", conflicts_with = "direct")]
    via: Option<String>,
    /// The request is made by the principal itself, not through a service
    #[arg(long)]
    direct: bool,
    /// Fix a condition key; more than one value with commas
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// The request comes through this VPC endpoint (id or name): its policy is applied too
    #[arg(long, value_name = "VPCE", conflicts_with = "via")]
    through: Option<String>,
    /// Apply this session policy (a JSON file) to sessions of roles and federated users
    #[arg(long, value_name = "FILE")]
    session_policy: Option<PathBuf>,
}

/// The way of a request, made ready.
pub(super) struct Way {
    pub(super) scenario: Scenario,
    pub(super) guards: Guards,
    through: Option<(Through, Option<Document>)>,
    session: Option<Document>,
}

impl How {
    /// Looks the endpoint up and reads the session policy.
    pub(super) fn way(&self, inventory: &Inventory) -> Result<Way, Trouble> {
        let base = match (&self.via, self.direct) {
            (Some(host), _) => Scenario::through(host),
            (None, true) => Scenario::direct(),
            (None, false) => Scenario::open(),
        };
        let scenario = self.context.iter().fold(base, |scenario, (key, value)| {
            scenario.with(key, ContextValue::Known(value.split(',').map(str::to_owned).collect()))
        });
        let mut way = Way { scenario, guards: Guards::default(), through: None, session: None };
        if let Some(name) = &self.through {
            let through = Through::of(inventory, name).map_err(|no| Trouble::new(Exit::Usage, no))?;
            way.scenario = through.scenario(way.scenario);
            way.guards = through.guards(way.guards);
            let policy = inventory.endpoints.get(&through.id).and_then(|held| held.policy.clone());
            way.through = Some((through, policy));
        }
        if let Some(path) = &self.session_policy {
            let (document, policy) = session_policy(path)?;
            way.guards.session = Some(vec![policy]);
            way.session = Some(document);
        }
        Ok(way)
    }
}

fn session_policy(path: &Path) -> Result<(Document, Policy), Trouble> {
    let no = |why: String| Trouble::new(Exit::Usage, format!("session policy {}: {why}", path.display()));
    let text = std::fs::read(path).map_err(|error| no(error.to_string()))?;
    let text = String::from_utf8(text).map_err(|error| {
        no(format!("not UTF-8 at byte {}: a policy is JSON text", error.utf8_error().valid_up_to()))
    })?;
    let document = Document::new(text);
    let policy = Policy::parse(&document).map_err(|error| no(error.to_string()))?;
    if let Some((statement, why)) = policy.malformed().next() {
        return Err(no(format!("{}: {why}; AWS would refuse it", statement.label())));
    }
    if let Some(named) = policy.statements.iter().find(|statement| statement.principals.is_some()) {
        return Err(no(format!("{}: a session policy names no Principal; AWS would refuse it", named.label())));
    }
    Ok((document, policy))
}

impl Way {
    /// Whether requests for an action come this way; else why not.
    pub(super) fn carries(&self, action: &str) -> Result<(), Trouble> {
        match &self.through {
            Some((through, _)) if !through.carries(action) => {
                let (id, service) = (&through.id, through.service());
                let why = format!("{action} does not come through {id}: that is an endpoint of {service}");
                Err(Trouble::new(Exit::Usage, why))
            }
            _ => Ok(()),
        }
    }

    /// What was assumed, in words.
    pub(super) fn notes(&self) -> Vec<Text> {
        let mut notes = Vec::new();
        if let Some((through, policy)) = &self.through {
            let policy = if policy.is_some() { "its policy is applied" } else { "it has no policy of its own" };
            notes.push(Text::new(format!("asked as through {} ({}): {policy}", through.id, through.service())));
            notes.extend(through.notes.iter().cloned());
        }
        if self.session.is_some() {
            notes.push(Text::new("the session policy is applied to sessions of roles and federated users"));
        }
        notes
    }

    /// The text of a deciding statement that stands in what came from outside.
    pub(super) fn statement(&self, by: &Deciding) -> Option<&str> {
        let (from, to) = by.span?;
        let document = match by.layer {
            Layer::Session => self.session.as_ref(),
            Layer::Endpoint => self.through.as_ref().and_then(|(_, policy)| policy.as_ref()),
            _ => None,
        };
        document?.raw().get(from..to)
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains(':') => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a condition key is given as aws:SourceIp=10.0.0.1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_checked() {
        assert!(pair("aws:SourceIp=10.0.0.1").is_ok() && pair("x=y").is_err() && pair("aws:x").is_err());
    }

    #[test]
    fn a_session_policy_is_checked_before_it_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.json");
        let of = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            session_policy(&path).map(|_| ()).map_err(|no| no.sentence)
        };
        let one = |more: &str| {
            let statement = format!(r#"{{"Effect":"Allow","Action":"kms:*","Resource":"*"{more}}}"#);
            format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#)
        };
        assert_eq!(of(one("").as_bytes()), Ok(()));
        for (bytes, said) in [
            (one(r#","Principal":"*""#).as_bytes(), "names no Principal"),
            (one(r#","Effect":"Allow""#).as_bytes(), "'Effect' stands twice"),
            (one(r#","Condition":{"Foo":{"aws:a":"b"}}"#).as_bytes(), "'Foo' is not known; AWS would refuse it"),
            (&b"{\xff"[..], "not UTF-8 at byte 1"),
            (b"{", "session.json"),
        ] {
            let why = of(bytes).unwrap_err();
            assert!(why.contains(said), "{why}");
        }
        assert!(session_policy(&folder.path().join("none")).is_err());
    }
}
