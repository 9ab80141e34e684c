//! What could not be read makes an answer uncertain, and says so.

use super::*;

#[test]
fn what_was_not_seen_is_uncertain() {
    let denied = |operation: &str| ReadError {
        operation: operation.into(),
        kind: crate::inventory::ErrorKind::Denied,
        message: "no".into(),
        at: at(),
    };
    let healthy = inventory(&json!([allow(json!({"AWS": ROOT}), "kms:*")]), &identity("kms:*"), None);
    let scenario = Scenario::through_bedrock("us-east-1");
    assert!(ask(&healthy, ROLE, "kms:Decrypt", &scenario).is_allowed());
    let mut cases: Vec<(&str, Inventory)> = Vec::new();
    let mut one = healthy.clone();
    one.keys.get_mut(KEY).unwrap().policy = Read::failed(denied("kms:GetKeyPolicy"));
    cases.push(("kms:GetKeyPolicy denied", one));
    let mut one = healthy.clone();
    one.keys.get_mut(KEY).unwrap().policy = Read::got(Document::new("{ nope"), at());
    cases.push(("line 1, column 3", one));
    let mut one = healthy.clone();
    one.roles.get_mut(ROLE).unwrap().attached.push("arn:aws:iam::aws:policy/Unseen".into());
    cases.push(("arn:aws:iam::aws:policy/Unseen", one));
    let mut one = healthy.clone();
    one.roles.get_mut(ROLE).unwrap().boundary = Some(BOUNDARY.into());
    cases.push(("boundary", one));
    let mut one = healthy.clone();
    one.coverage.record(SourceReport::sum(
        SourceId::AUTHORIZATION,
        at(),
        0,
        &[denied("iam:GetAccountAuthorizationDetails")],
    ));
    cases.push(("iam:GetAccountAuthorizationDetails denied", one));
    let mut one = healthy.clone();
    one.roles.clear();
    cases.push(("is not in the inventory", one));
    for (why, inventory) in cases {
        let decision = ask(&inventory, ROLE, "kms:Decrypt", &scenario);
        assert_eq!(decision.word(), "Uncertain", "{why}");
        assert!(decision.words().as_str().contains(why), "{}", decision.words());
    }
}
