//! Sessions of federated users: named themselves, by their user, in Denies and grants (P3, E7, G2).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::expr::FEDERATED_BY;
use super::*;
use crate::base::Text;
use crate::inventory::Inventory;
use crate::inventory::kms::Grant;

const FRED: &str = "arn:aws:sts::111122223333:federated-user/fred";
const ZOE: &str = "arn:aws:iam::111122223333:user/zoe";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k1";

fn policy(statements: &Value) -> Policy {
    Policy::from_json(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn statement(effect: &str, principal: &str) -> Value {
    json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": "kms:Decrypt", "Resource": "*"})
}

fn fred(own: &Value) -> Identity {
    Identity {
        caller: Caller::parse(FRED).unwrap(),
        policies: vec![(Layer::Identity(Text::new("own")), Arc::new(policy(own)))],
        boundary: None,
        facts: Facts::none(),
        gaps: Vec::new(),
        bounds: Arc::new(Bounds::none()),
    }
}

fn ask(rules: &Value, own: &Value, scenario: &Scenario, session: Option<&Value>) -> Answer {
    let resource = Resource { rules: Rules::Known(policy(rules)), ..Resource::plain(KEY.parse().unwrap()) };
    let guards = Guards { session: Some(session.into_iter().map(policy).collect()), ..Guards::none() };
    let identity = fred(own);
    Request { identity: &identity, action: "kms:Decrypt", resource: &resource, scenario, guards: &guards }.answer()
}

#[test]
fn what_names_its_user_names_it_if_that_is_its_user() {
    let (nothing, all) = (json!([]), json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    let lists = json!([{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]);
    let open = Scenario::open();
    let by = |user: &str| Scenario::open().with(FEDERATED_BY, ContextValue::one(user));
    let allows = json!([statement("Allow", ZOE)]);

    let answer = ask(&allows, &nothing, &open, None);
    let Decision::Conditional { conditions, .. } = &answer.decision else { panic!("{}", answer.decision.words()) };
    assert_eq!(conditions[0].as_str(), format!("{FEDERATED_BY} is {ZOE}"));
    assert_eq!(answer.paths, [Path::UserOfFederated]);
    assert_eq!(ask(&allows, &nothing, &by(ZOE), None).decision.word(), "Allowed");
    assert_eq!(
        ask(&allows, &nothing, &by("arn:aws:iam::111122223333:user/max"), None).decision.word(),
        "ImplicitlyDenied"
    );

    // E7: by its user it is limited by the session policy, by its own name it is not.
    assert_eq!(ask(&allows, &nothing, &by(ZOE), Some(&lists)).decision.word(), "ImplicitlyDenied");
    let itself = json!([statement("Allow", FRED)]);
    assert_eq!(ask(&itself, &nothing, &open, Some(&lists)).decision.word(), "Allowed");
    let other = json!([statement("Allow", "arn:aws:sts::111122223333:federated-user/eve")]);
    assert_eq!(ask(&other, &nothing, &open, None).decision.word(), "ImplicitlyDenied");

    // A Deny of its user is one of its own.
    let denies = json!([statement("Allow", "111122223333"), statement("Deny", ZOE)]);
    let answer = ask(&denies, &all, &open, None);
    assert_eq!(answer.decision.word(), "Conditional");
    assert!(answer.when.words().as_str().contains("zoe"), "{}", answer.when.words());
    assert_eq!(ask(&denies, &all, &by(ZOE), None).decision.word(), "ExplicitlyDenied");
}

#[test]
fn a_grant_of_its_user_is_its_own_if_that_is_its_user() {
    let grant = Grant {
        id: "g".into(),
        name: None,
        grantee: ZOE.into(),
        retiring: None,
        issuer: None,
        source_arn: None,
        operations: vec!["Decrypt".into()],
        context_equals: BTreeMap::new(),
        context_subset: BTreeMap::new(),
        created: None,
    };
    let rules = Rules::Known(policy(&json!([])));
    let resource = Resource { rules, grants: Ok(vec![grant]), ..Resource::plain(KEY.parse().unwrap()) };
    let identities = [fred(&json!([]))];
    let (actions, guards) = (["kms:Decrypt".to_owned()], Guards::none());
    for (scenario, word) in [
        (Scenario::open(), "Conditional"),
        (Scenario::open().with(FEDERATED_BY, ContextValue::one(ZOE)), "Allowed"),
        (Scenario::open().closed(), "ImplicitlyDenied"),
    ] {
        let mut survey = engine::Survey::of(&identities, &actions, &scenario, &guards);
        let plain = survey.explain(0, 0, &resource).decision;
        assert_eq!(plain.word(), word, "{}", plain.words());
        assert_eq!(survey.grid(&resource).verdict(0, 0), engine::Verdict::of(&plain));
    }
}

#[test]
fn its_rights_are_not_known_of_an_inventory_and_known_of_a_case() {
    let identity = Identity::of(&Inventory::default(), &Caller::parse(FRED).unwrap());
    assert!(identity.gaps[0].as_str().contains("the user who federated it"), "{}", identity.gaps[0]);
    let case = |user: &str| {
        let line = json!({
            "resourcePolicy": {"Version": "2012-10-17", "Statement": [statement("Allow", user)]},
            "request": {"principal": FRED, "action": "kms:Decrypt", "resource": KEY},
        });
        let verdict: Value = serde_json::from_str(&batch::evaluate_line(line.to_string().as_bytes())).unwrap();
        (verdict["decision"].as_str().unwrap().to_owned(), verdict["path"].as_str().map(str::to_owned))
    };
    // In a case, where everything is said, its user is the one of its name.
    let allowed = ("Allowed".to_owned(), Some("UserOfFederated".to_owned()));
    assert_eq!(case("arn:aws:iam::111122223333:user/fred"), allowed);
    assert_eq!(case(ZOE).0, "ImplicitlyDenied");
}
