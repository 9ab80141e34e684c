//! A request that comes through a VPC endpoint: what its policy lets through, and what follows from where it comes
//! from (E4). VPC User Guide, "Control access to VPC endpoints using endpoint policies".

use super::actions;
use super::policy::Policy;
use super::request::Guards;
use super::scenario::{ContextValue, Scenario};
use crate::base::text::safe;
use crate::base::{ResourceId, Text};
use crate::inventory::Inventory;
use crate::inventory::ec2::Endpoint;

/// An endpoint as a way.
#[derive(Debug, Clone)]
pub struct Through {
    /// `vpce-…`.
    pub id: ResourceId,
    /// What a person calls it.
    pub name: Text,
    vpc: ResourceId,
    /// As its name ends: `kms`, `bedrock-runtime`.
    service: String,
    /// Its policy; one without lets everything through.
    policies: Vec<Policy>,
    /// What is to be said beside it.
    pub notes: Vec<Text>,
}

/// Why nothing can come through it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// There is none of that id or name.
    #[error("'{0}' is no VPC endpoint that was read; those that were: {1}")]
    Unknown(String, String),
    /// Several are called so.
    #[error("'{0}' is the name of several VPC endpoints: give the id")]
    Ambiguous(String),
    /// Its policy cannot be read, so what it lets through is not known.
    #[error("the policy of {0}: {1}")]
    Unreadable(ResourceId, String),
}

impl Through {
    /// By id or name.
    pub fn of(inventory: &Inventory, text: &str) -> Result<Self, NoWay> {
        let short = || safe(text).chars().take(80).collect::<String>();
        let called = |one: &&Endpoint| one.id.as_str() == text || one.name.as_str() == text;
        let mut all = inventory.endpoints.values().filter(called);
        let Some(held) = all.next() else {
            let all: Vec<&str> = inventory.endpoints.keys().map(ResourceId::as_str).collect();
            let known = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
            return Err(NoWay::Unknown(short(), known));
        };
        if all.next().is_some() {
            return Err(NoWay::Ambiguous(short()));
        }
        let mut notes = Vec::new();
        if !held.state.as_str().eq_ignore_ascii_case("available") {
            notes.push(Text::new(format!("endpoint {} is {}: nothing comes through it now", held.id, held.state)));
        }
        let policies = match &held.policy {
            None => Vec::new(),
            Some(document) => {
                let no = |error: super::BadPolicy| NoWay::Unreadable(held.id.clone(), error.to_string());
                vec![Policy::parse(document).map_err(no)?]
            }
        };
        let service = held.service.as_str().rsplit('.').next().unwrap_or_default();
        let service = service.strip_suffix("-fips").unwrap_or(service).to_ascii_lowercase();
        Ok(Self { id: held.id.clone(), name: held.name.clone(), vpc: held.vpc.clone(), service, policies, notes })
    }

    /// Whether requests for an action come through it: those of its own service. Bedrock has one for using models and
    /// one for managing them.
    pub fn carries(&self, action: &str) -> bool {
        let action = actions::authorised_as(action);
        let service = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match (service.as_str(), self.service.as_str()) {
            ("bedrock", "bedrock-runtime") => actions::invokes(action),
            ("bedrock", "bedrock") => !actions::invokes(action),
            (service, own) => service == own,
        }
    }

    /// Its service as a person knows it.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// What is then known of the request: the endpoint and its VPC, and that no public address is seen. What comes through
    /// it was not forwarded by a service.
    pub fn scenario(&self, scenario: Scenario) -> Scenario {
        let direct = [("kms:ViaService", None), ("aws:ViaAWSService", Some("false")), ("aws:SourceIp", None)];
        let direct =
            direct.into_iter().map(|(key, value)| (key, value.map_or(ContextValue::Absent, ContextValue::one)));
        [
            ("aws:SourceVpce", ContextValue::one(self.id.as_str())),
            ("aws:SourceVpc", ContextValue::one(self.vpc.as_str())),
            ("kms:GrantIsForAWSResource", ContextValue::one("false")),
        ]
        .into_iter()
        .chain(direct)
        .fold(scenario, |scenario, (key, value)| scenario.unless(key, value))
    }

    /// The same guards, with its policy.
    pub fn guards(&self, guards: Guards) -> Guards {
        Guards { endpoint: Some(self.policies.clone()), ..guards }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::who::who_under;
    use crate::access::{People, Target};
    use crate::base::Timestamp;
    use crate::inventory::kms::Key;
    use crate::inventory::{Document, Read, SourceId, SourceReport, testing};

    const ROLE: &str = "arn:aws:iam::123456789012:role/Tuner";
    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k1";

    fn endpoint(id: &str, service: &str, policy: Option<&str>) -> Endpoint {
        Endpoint {
            id: id.into(),
            name: "named".into(),
            vpc: "vpc-1".into(),
            service: service.into(),
            kind: "Interface".into(),
            state: "available".into(),
            policy: policy.map(Document::new),
            private_dns: true,
            route_tables: Vec::new(),
            subnets: Vec::new(),
            security_groups: Vec::new(),
        }
    }

    fn with(all: &[Endpoint]) -> Inventory {
        let mut inventory = Inventory::default();
        inventory.endpoints.extend(all.iter().map(|one| (one.id.clone(), one.clone())));
        inventory
    }

    #[test]
    fn each_carries_the_actions_of_its_service() {
        for (service, action, carries) in [
            ("com.amazonaws.us-east-1.kms", "kms:Decrypt", true),
            ("com.amazonaws.us-east-1.kms-fips", "KMS:Decrypt", true),
            ("cn.com.amazonaws.cn-north-1.kms", "kms:Decrypt", true),
            ("com.amazonaws.us-east-1.s3", "kms:Decrypt", false),
            ("com.amazonaws.us-east-1.bedrock-runtime", "bedrock:InvokeModel", true),
            ("com.amazonaws.us-east-1.bedrock-runtime", "bedrock:Converse", true),
            ("com.amazonaws.us-east-1.bedrock-runtime", "bedrock:GetCustomModel", false),
            ("com.amazonaws.us-east-1.bedrock", "bedrock:InvokeModel", false),
            ("com.amazonaws.us-east-1.bedrock", "bedrock:DeleteCustomModel", true),
        ] {
            let through = Through::of(&with(&[endpoint("vpce-1", service, None)]), "vpce-1").unwrap();
            assert_eq!(through.carries(action), carries, "{action} through {service}");
        }
    }

    #[test]
    fn what_cannot_be_a_way_is_said() {
        let kms = "com.amazonaws.us-east-1.kms";
        let two = with(&[endpoint("vpce-1", kms, None), endpoint("vpce-2", kms, Some("{"))]);
        let no = |text: &str| Through::of(&two, text).unwrap_err().to_string();
        assert_eq!(no("vpce-9"), "'vpce-9' is no VPC endpoint that was read; those that were: vpce-1, vpce-2");
        assert!(no("named").contains("several"), "{}", no("named"));
        assert!(no("vpce-2").starts_with("the policy of vpce-2: "), "{}", no("vpce-2"));
        let gone = Endpoint { state: "deleting".into(), ..endpoint("vpce-1", kms, None) };
        assert!(Through::of(&with(&[gone]), "named").unwrap().notes[0].as_str().contains("deleting"));
    }

    #[test]
    fn its_policy_limits_and_where_it_comes_from_is_known() {
        let lets = |action: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"{action}","Resource":"*"}}}}"#
            )
        };
        let kms = "com.amazonaws.us-east-1.kms";
        let mut inventory = with(&[endpoint("vpce-1", kms, Some(&lets("kms:Decrypt"))), endpoint("vpce-2", kms, None)]);
        let mut key = Key::bare(KEY);
        let statements = r#"[
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/Tuner"},"Action":"kms:*","Resource":"*",
             "Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}},
            {"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*",
             "Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}}]"#;
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
        key.policy = Read::got(Document::new(text), Timestamp::from_secs(1));
        key.grants = Read::got(Vec::new(), Timestamp::from_secs(1));
        inventory.keys.insert(key.arn.clone(), key);
        inventory.roles.insert(ROLE.into(), testing::role(ROLE));
        inventory.settings.organization = Read::got(None, Timestamp::from_secs(1));
        let whole = SourceReport::sum(SourceId::AUTHORIZATION, Timestamp::from_secs(1), 1, &[]);
        inventory.coverage.record(whole);
        let target = Target::of(&inventory, &testing::session(), KEY).unwrap();
        let actions = ["kms:Decrypt".to_owned(), "kms:Encrypt".to_owned()];
        let ask = |endpoint: Option<&str>| {
            let through = endpoint.map(|id| Through::of(&inventory, id).unwrap());
            let scenario = through.as_ref().map_or_else(Scenario::open, |one| one.scenario(Scenario::open()));
            let guards = through.as_ref().map_or_else(Guards::default, |one| one.guards(Guards::default()));
            let matrix = who_under(&inventory, &mut People::of(&inventory), &target, &actions, &scenario, &guards);
            let row = matrix.rows.iter().find(|row| row.who.id().as_str() == ROLE).unwrap();
            (row.cells.iter().map(|cell| cell.decision.word()).collect::<Vec<_>>(), matrix.notes[0].to_string())
        };
        let none = "session policies and VPC endpoint policies are not evaluated".to_owned();
        assert_eq!(ask(None), (vec!["Conditional", "Conditional"], none));
        let session = "session policies are not evaluated".to_owned();
        assert_eq!(ask(Some("vpce-1")), (vec!["Allowed", "ImplicitlyDenied"], session.clone()));
        assert_eq!(ask(Some("vpce-2")), (vec!["ImplicitlyDenied", "ImplicitlyDenied"], session));
    }
}
