//! Why a cell is as it is: the verdict, what each layer says when it is asked alone, and the statements that
//! decide inside their documents.

use std::sync::Arc;

use super::ask::{Question, target};
use super::board::CellOf;
use super::documents::{Shown, shown};
use super::label::Mark;
use super::rows::phrase;
use crate::access::models::Model as Used;
use crate::access::request::Resource;
use crate::access::who::who_of;
use crate::access::{
    Answer, Caller, Deciding, Decision, Guards, Identity, Layer, People, Policy, Request, Rules, Scenario, Target, Who,
    actions, who,
};
use crate::base::{ResourceId, Text};
use crate::inventory::{Document, Inventory, Kind, ResourceRef};

/// What one layer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which layer.
    pub layer: String,
    /// Its verdict; none where it has nothing to say.
    pub mark: Option<Mark>,
    /// By what, or why.
    pub words: String,
}

/// Why.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Who.
    pub who: Who,
    /// On what it is decided.
    pub on: ResourceId,
    /// The verdict.
    pub answer: Answer,
    /// Layer by layer.
    pub said: Vec<Said>,
    /// The deciding statements where they stand.
    pub documents: Vec<Shown>,
}

/// A policy that allows everything: it stands for the layer that is not asked about.
const ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
/// One that leaves everything to an account.
const LEFT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"OWNER"},"Action":"*","Resource":"*"}]}"#;
/// One that lets in everybody.
const EVERYBODY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
/// One that allows nothing.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

/// Explains a cell.
pub fn explain(question: &Question, cell: &CellOf, who: &Who) -> Result<Explanation, String> {
    let inventory = &*question.inventory;
    let on = cell.on.as_ref().map(|id| ResourceRef::new(Kind::Role, id));
    let target = target(inventory, &question.session, on.as_ref().unwrap_or(&question.of))?;
    let (scenario, guards) = (Scenario::open(), Guards::default());
    let identity = match who {
        Who::Caller(caller) => Some(Identity::of(inventory, caller)),
        _ => None,
    };
    let answer = match &identity {
        Some(identity) => who::answer(&target, identity, &cell.action, &scenario, &guards),
        // Whoever cannot be seen is asked as the matrix asks.
        None => {
            let action = [cell.action.clone()];
            let matrix = who_of(inventory, &mut People::of(inventory), &target, &action, &scenario);
            let row = matrix.rows.into_iter().find(|row| row.who == *who);
            row.and_then(|row| row.cells.into_iter().next()).ok_or("nobody of that name is in the rows any more")?
        }
    };
    let said = match &identity {
        Some(identity) => {
            // Each layer is asked alone, the organization too.
            let guards = Guards { scps: Some(Vec::new()), rcps: Some(Vec::new()), ..guards };
            Layers { inventory, identity, action: &cell.action, scenario, guards }.of(&target)
        }
        None => unseen(&answer, who),
    };
    let documents = shown(inventory, &target, identity.as_ref(), answer.decision.by());
    Ok(Explanation { who: who.clone(), on: ResourceId::new(target.arn().to_string()), answer, said, documents })
}

/// The layers of somebody whose own policies cannot be seen.
fn unseen(answer: &Answer, who: &Who) -> Vec<Said> {
    let own = match who {
        Who::Anyone => "not visible: who calls from another account needs an Allow of that account too".to_owned(),
        Who::Account(id) => format!("the policies of account {id} are not visible"),
        _ => "not read".to_owned(),
    };
    let mark = Mark::of(&answer.decision);
    let by = answer.decision.by();
    let words = if by.is_empty() { answer.decision.words().to_string() } else { phrase(by) };
    let mut said = vec![Said { layer: "resource's side".into(), mark: Some(mark), words }];
    said.push(Said { layer: "own policies".into(), mark: Some(Mark::Unknown), words: own });
    let organization = match (&answer.veil, who) {
        (Some(veil), _) => veil.to_string(),
        (None, Who::Anyone | Who::Account(_)) => {
            "what binds other accounts is not visible; it only takes away".to_owned()
        }
        (None, _) => "nothing of it that was read stands in the way".to_owned(),
    };
    said.push(Said {
        layer: "organization".into(),
        mark: answer.veil.as_ref().map(|_| Mark::Unknown),
        words: organization,
    });
    said.extend(outside());
    said
}

/// What is not in the inventory.
fn outside() -> Vec<Said> {
    [
        ("session policy", "not read; it could only take away"),
        ("VPC endpoint", "counts only for requests that come through one"),
    ]
    .map(|(layer, words)| Said { layer: layer.into(), mark: None, words: words.into() })
    .into()
}

struct Layers<'a> {
    inventory: &'a Inventory,
    identity: &'a Identity,
    action: &'a str,
    scenario: Scenario,
    guards: Guards,
}

fn policy(text: &str) -> Policy {
    let empty = Policy { version: crate::access::Version::V2012, statements: Vec::new() };
    Policy::parse(&Document::new(text)).unwrap_or(empty)
}

impl Layers<'_> {
    fn of(&self, target: &Target) -> Vec<Said> {
        let mut said = match target {
            Target::One(resource) => self.on(resource, ""),
            Target::Model(model) if actions::invokes(actions::authorised_as(self.action)) => self.used(model),
            Target::Model(model) => self.on(&model.resource, ""),
        };
        said.push(match target {
            Target::One(resource) => self.organization(resource),
            Target::Model(model) => self.organization(&model.resource),
        });
        said.extend(outside());
        said
    }

    /// What the policies of an organization let through when everything else allows.
    fn organization(&self, resource: &Resource) -> Said {
        let layer = "organization".to_owned();
        let open = Resource {
            rules: Rules::Known(policy(EVERYBODY)),
            grants: Ok(Vec::new()),
            notes: Vec::new(),
            ..resource.clone()
        };
        let (target, guards) = (Target::One(Box::new(open)), Guards::default());
        let answer = who::answer(&target, &self.bare(true), self.action, &self.scenario, &guards);
        let theirs = |by: &Deciding| matches!(by.layer, Layer::Scp(_) | Layer::Rcp(_));
        let none = |words: &str| Said { layer: layer.clone(), mark: None, words: words.into() };
        match (&answer.veil, &answer.decision) {
            (Some(veil), _) => Said { layer, mark: Some(Mark::Unknown), words: veil.to_string() },
            (None, Decision::Allowed { .. }) => none("no service or resource control policy stands in the way"),
            (None, Decision::ImplicitlyDenied { missing })
                if answer.blocked.iter().any(|block| block.layer == "scp") =>
            {
                let words = missing.iter().map(Text::as_str).collect::<Vec<_>>().join("; ");
                Said { layer, mark: Some(Mark::Missing), words }
            }
            (None, Decision::ImplicitlyDenied { .. }) => none("not asked: it has no effect here anyway"),
            (None, Decision::Conditional { conditions, .. }) => {
                let conditions = conditions.iter().map(Text::as_str).collect::<Vec<_>>().join("; ");
                Said { layer, mark: Some(Mark::Conditional), words: format!("lets it through if {conditions}") }
            }
            _ => told(layer, &answer, theirs),
        }
    }

    /// A model: the Bedrock side of each thing that serves it, and the key's side.
    fn used(&self, model: &Used) -> Vec<Said> {
        let action = actions::authorised_as(self.action);
        let mut said = Vec::new();
        for served in &model.served {
            let request = Request {
                identity: self.identity,
                action,
                resource: served,
                scenario: &self.scenario,
                guards: &self.guards,
            };
            let id = ResourceId::new(served.arn.to_string());
            let name = super::ask::name_of(self.inventory, &id).unwrap_or_else(|| served.arn.name().to_owned());
            said.push(told(format!("on {name}"), &request.answer(), |_| true));
        }
        if model.served.is_empty() {
            let words = "no deployment and no throughput: it cannot be invoked at all".to_owned();
            said.push(Said { layer: "served by".into(), mark: Some(Mark::Missing), words });
        }
        match &model.key {
            Ok(None) => said.push(Said {
                layer: "key".into(),
                mark: None,
                words: "under a key of AWS: no right to a key is needed".into(),
            }),
            Err(why) => {
                said.push(Said { layer: "key".into(), mark: Some(Mark::Unknown), words: why.to_string() });
            }
            Ok(Some(key)) => {
                let through = Scenario::through_bedrock(&key.arn.region);
                let needs: &[&str] =
                    if model.nova { &["kms:Decrypt", "kms:GenerateDataKey"] } else { &["kms:Decrypt"] };
                for action in needs {
                    let request = Request {
                        identity: self.identity,
                        action,
                        resource: key,
                        scenario: &through,
                        guards: &self.guards,
                    };
                    let name = if *action == "kms:Decrypt" { "its key: Decrypt" } else { "its key: GenKey" };
                    let mut answer = told(name.to_owned(), &request.answer(), |_| true);
                    answer.words.push_str(", through Bedrock");
                    said.push(answer);
                }
            }
        }
        said.push(self.boundary(&model.resource));
        said
    }

    /// One resource, layer by layer.
    fn on(&self, resource: &Resource, prefix: &str) -> Vec<Said> {
        let service = resource.arn.service.as_str();
        let is_role = service == "iam" && resource.arn.resource.starts_with("role/");
        let by_trust = !is_role || self.action.to_ascii_lowercase().starts_with("sts:");
        let mut said = Vec::new();
        if by_trust {
            said.push(self.rules(resource, prefix));
        }
        if service == "kms" {
            said.push(self.grants(resource));
        }
        said.push(self.own(resource));
        said.push(self.boundary(resource));
        for note in &resource.notes {
            said.push(Said { layer: "state".into(), mark: None, words: note.to_string() });
        }
        said
    }

    fn ask(&self, identity: &Identity, resource: Resource) -> Answer {
        who::answer(&Target::One(Box::new(resource)), identity, self.action, &self.scenario, &self.guards)
    }

    /// The caller with everything allowed by itself, or with nothing.
    fn bare(&self, all: bool) -> Identity {
        let policies = if all { vec![(Layer::Identity(Text::new("*")), Arc::new(policy(ALL)))] } else { Vec::new() };
        Identity { policies, boundary: None, gaps: Vec::new(), ..self.identity.clone() }
    }

    /// The resource's own policy.
    fn rules(&self, resource: &Resource, prefix: &str) -> Said {
        let name = match resource.arn.service.as_str() {
            "kms" => "key policy",
            "iam" => "trust policy",
            "s3" => "bucket policy",
            _ => "resource policy",
        };
        let layer = format!("{prefix}{name}");
        match &resource.rules {
            Rules::None => return Said { layer, mark: None, words: "there is none".into() },
            Rules::Unknown(why) => return Said { layer, mark: Some(Mark::Unknown), words: why.to_string() },
            Rules::Known(_) => {}
        }
        let alone = Resource { grants: Ok(Vec::new()), notes: Vec::new(), ..resource.clone() };
        let theirs = |by: &Deciding| matches!(by.layer, Layer::KeyPolicy | Layer::ResourcePolicy);
        let named = self.ask(&self.bare(false), alone.clone());
        let sovereign = matches!(resource.arn.service.as_str(), "kms" | "iam");
        let foreign = self.identity.caller.account().is_some_and(|account| account != resource.owner);
        if named.decision.is_denied()
            && !matches!(named.decision, Decision::ExplicitlyDenied { .. })
            && (sovereign || foreign)
        {
            let left = self.ask(&self.bare(true), alone);
            if !left.decision.is_denied() {
                let mut said = told(layer, &left, theirs);
                let to = if foreign { "its account" } else { "the account's own policies" };
                said.words = format!("leaves it to {to}: {}", said.words);
                return said;
            }
        }
        told(layer, &named, theirs)
    }

    fn grants(&self, key: &Resource) -> Said {
        let layer = "grants".to_owned();
        let count = match &key.grants {
            Err(why) => return Said { layer, mark: Some(Mark::Unknown), words: why.to_string() },
            Ok(grants) => grants.len(),
        };
        if count == 0 {
            return Said { layer, mark: None, words: "there are none".into() };
        }
        let alone = Resource { rules: Rules::Known(policy(NOTHING)), notes: Vec::new(), ..key.clone() };
        let answer = self.ask(&self.bare(true), alone);
        if answer.decision.is_denied() {
            let words = format!("none of {count} gives it this");
            return Said { layer, mark: Some(Mark::Missing), words };
        }
        told(layer, &answer, |by| matches!(by.layer, Layer::Grant(_)))
    }

    /// The identity policies, without the boundary.
    fn own(&self, resource: &Resource) -> Said {
        let layer = "identity policies".to_owned();
        let none = |words: &str| Said { layer: layer.clone(), mark: None, words: words.into() };
        match &self.identity.caller {
            Caller::Service(_) => return none("a service has none"),
            Caller::Root(_) => return none("the root user has none and needs none"),
            _ => {}
        }
        let identity = Identity { boundary: None, ..self.identity.clone() };
        let answer = self.identity_answer(&identity, resource);
        told(layer, &answer, |by| matches!(by.layer, Layer::Identity(_)))
    }

    fn boundary(&self, resource: &Resource) -> Said {
        let layer = "boundary".to_owned();
        let Some(boundary) = &self.identity.boundary else {
            return Said { layer, mark: None, words: "it has none".into() };
        };
        let identity = Identity { boundary: Some(boundary.clone()), ..self.bare(true) };
        let answer = self.identity_answer(&identity, resource);
        let mut said = told(layer, &answer, |by| matches!(by.layer, Layer::Boundary(_)));
        if answer.decision.is_allowed() {
            said.words = format!("{} lets it through", boundary.arn.last());
        }
        said
    }

    /// What the identity side alone comes to.
    fn identity_answer(&self, identity: &Identity, resource: &Resource) -> Answer {
        // As if the resource were the caller's own, and left everything to the account.
        let owner = self.identity.caller.account().unwrap_or_default().to_owned();
        let rules = match resource.arn.service.as_str() {
            "kms" | "iam" => Rules::Known(policy(&LEFT.replace("OWNER", &owner))),
            _ => Rules::None,
        };
        let (grants, notes) = (Ok(Vec::new()), Vec::new());
        self.ask(identity, Resource { owner, rules, grants, notes, ..resource.clone() })
    }
}

/// An answer in a line, with the statements that are of this layer.
fn told(layer: String, answer: &Answer, is_own: impl Fn(&Deciding) -> bool) -> Said {
    let own: Vec<Deciding> = answer.decision.by().iter().filter(|by| is_own(by)).cloned().collect();
    let list = |texts: &[Text]| texts.iter().map(Text::as_str).collect::<Vec<_>>().join("; ");
    let by = || {
        let all: Vec<String> = own.iter().map(|one| phrase(std::slice::from_ref(one))).collect();
        if all.is_empty() { "allowed".to_owned() } else { all.join(" or ") }
    };
    let words = match &answer.decision {
        Decision::Allowed { .. } => by(),
        Decision::Conditional { conditions, .. } => format!("{} if {}", by(), list(conditions)),
        Decision::ExplicitlyDenied { .. } => format!("denies by {}", by()),
        Decision::ImplicitlyDenied { .. } => "nothing in it allows this".to_owned(),
        Decision::Uncertain { why, .. } => list(why),
    };
    Said { layer, mark: Some(Mark::of(&answer.decision)), words }
}
