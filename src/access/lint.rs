//! What is wrong, or risky, in a policy by itself: whoever it is attached to.

use super::Operator;
use super::catalogue;
use super::condition::{Condition, SetOperator};
use super::expiry::{self, SOON};
use super::policy::{Effect, Policy, Statement};
use super::principal::PrincipalEntry;
use crate::base::time::span;
use crate::base::{Text, Timestamp};
use crate::inventory::Document;

/// What kind of document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A key policy.
    Key,
    /// The policy of another resource.
    Resource,
    /// A trust policy.
    Trust,
    /// A policy attached to a principal.
    Identity,
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// A stable word for it.
    pub code: &'static str,
    /// JSON pointer to the statement; `/` for the document.
    pub pointer: Text,
    /// What a person calls the statement: its Sid, or its place. Empty for the document.
    pub label: Text,
    /// In words.
    pub words: Text,
}

impl Remark {
    fn of_document(code: &'static str, words: String) -> Self {
        Self { code, pointer: "/".into(), label: Text::default(), words: Text::new(words) }
    }

    /// Whether nothing is wrong: it is only good to know.
    pub fn is_information(&self) -> bool {
        self.code == "expires-soon"
    }

    /// In one line, with the statement.
    pub fn line(&self) -> Text {
        if self.label.is_empty() { self.words.clone() } else { Text::new(format!("{}: {}", self.label, self.words)) }
    }
}

/// Reads a document for what is wrong with it at a time, in the order of its statements.
pub fn lint(document: &Document, kind: Kind, now: Timestamp) -> Vec<Remark> {
    let mut found = Vec::new();
    let policy = match Policy::parse(document) {
        Ok(policy) => policy,
        Err(error) => return vec![Remark::of_document("no-policy", error.to_string())],
    };
    for statement in &policy.statements {
        let mut say = |code, words: String| {
            let label = Text::new(statement.label());
            found.push(Remark { code, pointer: statement.pointer(), label, words: Text::new(words) });
        };
        if let Some(why) = &statement.malformed {
            say("malformed", format!("AWS would refuse it: {why}"));
            continue;
        }
        without_effect(statement, kind, &mut say);
        principals(statement, &mut say);
        for condition in &statement.conditions {
            conditions(condition, statement, &mut say);
        }
        catalogued(statement, kind, &mut say);
        ends(statement, now, &mut say);
    }
    if kind == Kind::Key {
        let (bytes, limit) = (document.raw().len(), Document::KEY_POLICY_LIMIT);
        if bytes > limit - limit / 10 {
            let left = limit.saturating_sub(bytes);
            found.push(Remark::of_document("nearly-full", format!("{bytes} bytes of {limit}: {left} left")));
        }
    }
    found
}

fn without_effect(statement: &Statement, kind: Kind, say: &mut dyn FnMut(&'static str, String)) {
    if statement.actions.is_none() {
        say("no-effect", "it has no Action, so it has no effect".to_owned());
    }
    if statement.resources.is_none() && kind != Kind::Trust {
        say("no-effect", "it has no Resource, so it has no effect".to_owned());
    }
    match (kind, &statement.principals) {
        (Kind::Identity, Some(_)) => {
            say("principal", "a policy of a principal cannot name principals: AWS would refuse it".to_owned());
        }
        (Kind::Key | Kind::Resource | Kind::Trust, None) => {
            say("no-effect", "it has no Principal: AWS would refuse it".to_owned());
        }
        _ => {}
    }
}

fn principals(statement: &Statement, say: &mut dyn FnMut(&'static str, String)) {
    let Some(principals) = &statement.principals else { return };
    for entry in &principals.entries {
        if let PrincipalEntry::UniqueId(id) = entry {
            say("orphan", format!("{id} is the id of a deleted principal; put back unchanged, AWS refuses it"));
        }
    }
    if statement.effect != Effect::Allow {
        if principals.negated {
            say("not-principal", "NotPrincipal spares a caller only if its whole chain is listed".to_owned());
        }
        return;
    }
    if principals.negated {
        say("not-principal", "NotPrincipal with Allow gives access to everybody who is not listed".to_owned());
    } else if principals.entries.contains(&PrincipalEntry::Everyone) {
        let on = |keys: &[&str]| statement.conditions.iter().any(|one| keys.iter().any(|key| one.is_on(key)));
        if on(&["kms:CallerAccount"]) {
            let words = "everybody in that account may, without an IAM policy: it is not what the root statement means";
            say("caller-account", words.to_owned());
        } else if !on(&["aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:SourceAccount"]) {
            say("everybody", "it gives access to everybody, in any account".to_owned());
        }
    }
}

fn conditions(condition: &Condition, statement: &Statement, say: &mut dyn FnMut(&'static str, String)) {
    let allow = statement.effect == Effect::Allow;
    if condition.set == Some(SetOperator::ForAllValues) && allow {
        let guarded = statement.conditions.iter().any(|other| {
            other.operator == Operator::Null && other.is_on(&condition.key) && other.values.iter().all(|v| v == "false")
        });
        if !guarded {
            say("for-all-values", format!("ForAllValues on {} holds for requests without the key too", condition.key));
        }
    }
    if condition.set.is_some() && !super::condition::is_multivalued(&condition.key) {
        say("set-operator", format!("{} has one value: a set operator on it is not needed", condition.key));
    }
    if condition.set.is_none()
        && condition.operator != Operator::Null
        && super::condition::is_multivalued(&condition.key)
        && is_known(&condition.key)
    {
        say(
            "plain-operator",
            format!("{} may have many values: without ForAnyValue or ForAllValues it does not match", condition.key),
        );
    }
    if catalogue::knows_key(&condition.key) == Some(false) {
        let prefix = condition.key.split(':').next().unwrap_or_default();
        say("unknown-key", format!("{} is no condition key of {prefix} (as of {})", condition.key, catalogue::AS_OF));
    }
}

/// What has ended, or is about to: a break-glass statement that nobody took out.
fn ends(statement: &Statement, now: Timestamp, say: &mut dyn FnMut(&'static str, String)) {
    let Some(end) = expiry::ends(statement) else { return };
    let left = end.secs_since(now);
    let does = if statement.effect == Effect::Allow { "allows" } else { "denies" };
    if end <= now {
        say("expired", format!("it ended on {end} and {does} nothing any more: take it out"));
    } else if left < SOON {
        say("expires-soon", format!("it {does} until {end}: {} left", span(left)));
    }
}

fn is_known(key: &str) -> bool {
    catalogue::knows_key(key) == Some(true)
}

/// What AWS's own tables say against it. Nothing is said of services that are not in them.
fn catalogued(statement: &Statement, kind: Kind, say: &mut dyn FnMut(&'static str, String)) {
    let Some(actions) = &statement.actions else { return };
    let mut meant: Vec<&catalogue::Action> = Vec::new();
    let mut whole = !actions.negated;
    for pattern in &actions.patterns {
        match catalogue::meant(pattern) {
            None => whole = false,
            Some(found) if found.is_empty() => {
                let service = pattern.split(':').next().unwrap_or_default();
                say("unknown-action", format!("{pattern} is no action of {service} (as of {})", catalogue::AS_OF));
            }
            Some(found) => meant.extend(found),
        }
    }
    // why only then: what is also about other services may well mean them.
    if !whole || meant.is_empty() {
        return;
    }
    for condition in &statement.conditions {
        let seen = meant.iter().any(|action| catalogue::sees(action, &condition.key));
        if !seen && catalogue::knows_key(&condition.key) == Some(true) {
            let what = if condition.operator == Operator::Null { "is always absent" } else { "is always missing" };
            say("key-of-others", format!("{} {what}: no action of the statement carries it", condition.key));
        }
    }
    let Some(resources) = statement.resources.as_ref().filter(|all| !all.negated && kind != Kind::Trust) else {
        return;
    };
    for resource in &resources.patterns {
        if !meant.iter().any(|action| catalogue::is_on(action, resource)) {
            say("wrong-resource", format!("no action of the statement is authorised on {resource}"));
        }
    }
    // why not then: each resource has been said already.
    let none = |resource: &String| !meant.iter().any(|action| catalogue::is_on(action, resource));
    if resources.patterns.iter().any(|one| one == "*") || resources.patterns.iter().all(none) {
        return;
    }
    for action in &meant {
        let named = actions.patterns.iter().any(|pattern| pattern.eq_ignore_ascii_case(&action.name));
        if named && !resources.patterns.iter().any(|resource| catalogue::is_on(action, resource)) {
            let on = if action.types.is_empty() {
                "on * only".to_owned()
            } else {
                format!("on {}", action.types.join(", "))
            };
            say("wrong-resource", format!("{} is authorised {on}: no resource of the statement is one", action.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-12-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn what_has_ended_is_told_and_what_ends_soon() {
        let one = |effect: &str, condition: &str| {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Sid":"Glass","Effect":"{effect}","Principal":{{"AWS":"111122223333"}},
                "Action":"kms:Decrypt","Resource":"*","Condition":{{{condition}}}}}}}"#
            );
            let found = lint(&Document::new(text), Kind::Key, now());
            assert!(found.len() < 2, "{found:?}");
            found.into_iter().next().map(|one| (one.code, one.line().to_string(), one.is_information()))
        };
        let over = |effect: &str, condition: &str, words: &str| {
            let told = one(effect, condition);
            assert_eq!(told, Some(("expired", format!("\"Glass\": {words}"), false)), "{condition}");
        };
        over(
            "Allow",
            r#""DateLessThan":{"aws:CurrentTime":"2026-11-20T10:00:00Z"}"#,
            "it ended on 2026-11-20T10:00:00Z and allows nothing any more: take it out",
        );
        over(
            "Deny",
            r#""DateLessThanEquals":{"AWS:currenttime":["2026-11-20T10:00:00Z","1796083199"]}"#,
            "it ended on 2026-11-30T23:59:59.001Z and denies nothing any more: take it out",
        );
        for condition in [
            r#""DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}"#,
            r#""DateLessThanIfExists":{"aws:EpochTime":"1796083199"}"#,
            r#""NumericLessThan":{"aws:EpochTime":"1796083199"}"#,
            r#""DateLessThan":{"aws:CurrentTime":"2027-06-01T00:00:00Z","aws:EpochTime":"0"}"#,
        ] {
            assert_eq!(one("Allow", condition).map(|told| told.0), Some("expired"), "{condition}");
        }
        let soon = one("Allow", r#""DateLessThan":{"aws:CurrentTime":"2026-12-10T00:00:00Z"}"#);
        assert_eq!(
            soon,
            Some(("expires-soon", "\"Glass\": it allows until 2026-12-10T00:00:00Z: 9d left".to_owned(), true))
        );
        for condition in [
            r#""DateLessThan":{"aws:CurrentTime":"2027-02-01T00:00:00Z"}"#,
            r#""DateLessThan":{"aws:CurrentTime":["2026-11-01T00:00:00Z","2027-02-01T00:00:00Z"]}"#,
            r#""DateGreaterThan":{"aws:CurrentTime":"2026-11-01T00:00:00Z"}"#,
            r#""DateNotEquals":{"aws:CurrentTime":"2026-11-01T00:00:00Z"}"#,
            r#""DateLessThan":{"aws:TokenIssueTime":"2026-11-01T00:00:00Z"}"#,
        ] {
            assert_eq!(one("Allow", condition), None, "{condition}");
        }
    }

    #[test]
    fn each_remark_has_its_statement_and_a_clean_policy_has_none() {
        let key = |statement: &str| {
            let document = Document::new(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
            lint(&document, Kind::Key, now()).into_iter().map(|remark| remark.code).collect::<Vec<_>>()
        };
        let one = |principal: &str, action: &str, more: &str| {
            key(&format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"{action}","Resource":"*"{more}}}"#))
        };
        let root = r#"{"AWS":"111122223333"}"#;
        let when = |condition: &str| format!(r#","Condition":{{{condition}}}"#);
        for (found, expected) in [
            (one(root, "kms:*", ""), &[][..]),
            (one("\"*\"", "kms:Decrypt", ""), &["everybody"]),
            (one("\"*\"", "kms:Decrypt", &when(r#""StringEquals":{"kms:CallerAccount":"1"}"#)), &["caller-account"]),
            (one("\"*\"", "kms:Decrypt", &when(r#""StringEquals":{"aws:PrincipalOrgID":"o"}"#)), &[]),
            (one(r#"{"AWS":"AROAEXAMPLEID1234567"}"#, "kms:Decrypt", ""), &["orphan"]),
            (one(root, "kms:Decript", ""), &["unknown-action"]),
            (one(root, "KMS:decrypt*", ""), &[]),
            (one(root, "bedrock:InvokeModels", ""), &["unknown-action"]),
            (one(root, "ec2:Nonsense", ""), &[]),
            (one(root, "kms:Decrypt", &when(r#""StringEquals":{"aws:PrincipleArn":"x"}"#)), &["unknown-key"]),
            (one(root, "kms:Decrypt", &when(r#""Bool":{"kms:GrantIsForAWSResource":"true"}"#)), &["key-of-others"]),
            (one(root, "kms:*", &when(r#""Bool":{"kms:GrantIsForAWSResource":"true"}"#)), &[]),
            (
                one(root, "kms:CreateGrant", &when(r#""ForAllValues:StringEquals":{"kms:GrantOperations":"Decrypt"}"#)),
                &["for-all-values"],
            ),
            (
                one(
                    root,
                    "kms:CreateGrant",
                    &when(
                        r#""ForAllValues:StringEquals":{"kms:GrantOperations":"Decrypt"},"Null":{"kms:GrantOperations":"false"}"#,
                    ),
                ),
                &[],
            ),
            (one(root, "kms:Decrypt", &when(r#""StringEquals":{"kms:ViaServices":"x"}"#)), &["unknown-key"]),
            (one(root, "kms:Decrypt", &when(r#""StringEquals":{"kms:EncryptionContext:a":"x"}"#)), &[]),
            (
                one(root, "kms:Decrypt", &when(r#""ForAnyValue:StringEquals":{"kms:ViaService":"x"}"#)),
                &["set-operator"],
            ),
            (
                one(root, "kms:Decrypt", &when(r#""StringEquals":{"kms:EncryptionContextKeys":"x"}"#)),
                &["plain-operator"],
            ),
            (
                key(r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#),
                &["not-principal"],
            ),
            (key(r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Resource":"*"}"#), &["no-effect"]),
            (key(r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*"}"#), &["no-effect"]),
            (key(r#"{"Effect":"Maybe"}"#), &["malformed"]),
        ] {
            assert_eq!(found, expected);
        }
        let identity = |statement: &str| {
            let document = Document::new(format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
            lint(&document, Kind::Identity, now()).into_iter().map(|remark| remark.code).collect::<Vec<_>>()
        };
        let on = |action: &str, resource: &str| {
            identity(&format!(r#"{{"Effect":"Allow","Action":{action},"Resource":"{resource}"}}"#))
        };
        for (found, expected) in [
            (on(r#""s3:GetObject""#, "arn:aws:s3:::bucket/*"), &[][..]),
            (on(r#""s3:GetObject""#, "arn:aws:s3:::bucket"), &["wrong-resource"]),
            (on(r#"["s3:GetObject","s3:ListBucket"]"#, "arn:aws:s3:::bucket"), &["wrong-resource"]),
            (on(r#"["s3:*","ec2:*"]"#, "arn:aws:ec2:us-east-1:111122223333:instance/*"), &[]),
            (on(r#""bedrock:InvokeModel""#, "arn:aws:bedrock:*:111122223333:custom-model/*"), &["wrong-resource"]),
            (on(r#""bedrock:ListCustomModels""#, "*"), &[]),
            (on(r#""iam:PassRole""#, "arn:aws:iam::111122223333:role/*"), &[]),
        ] {
            assert_eq!(found, expected);
        }
        let full = format!(
            r#"{{"Statement":[{{"Sid":"{}","Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}}]}}"#,
            "x".repeat(32_000)
        );
        assert_eq!(lint(&Document::new(full), Kind::Key, now())[0].code, "nearly-full");
        assert_eq!(lint(&Document::new("{"), Kind::Key, now())[0].code, "no-policy");
    }
}
