//! What an organization expects changes what the controls say.

use serde_json::json;

use super::expectations::Expectations;
use super::fixtures::{APP, MODEL, expectations, healthy, role, says_under};
use super::verdict::Status::{self, Fail, Warn};
use crate::inventory::Inventory;

/// For the test that no sub-reason lacks a fixture.
pub const ALL: &[fn()] = &[numbers_and_names];

type Change = fn(&mut Expectations);
/// A control, what is expected, and what it finds then.
type Row<'a> = (&'a str, Change, &'a [(Status, &'a str)]);

fn found(inventory: &Inventory, control: &str, change: Change) -> Vec<(Status, &'static str)> {
    let mut expect = expectations();
    change(&mut expect);
    let all = says_under(inventory, &expect, control).into_iter().map(|(_, status, code)| (status, code));
    all.filter(|(status, _)| matches!(status, Fail | Warn)).collect()
}

#[test]
fn numbers_and_names() {
    let account = healthy();
    let rows: &[Row] = &[
        ("CUS-INV-01", |e| e.approved_throughputs = ["other".to_owned()].into(), &[(Fail, "not-ordered")]),
        ("CUS-INV-01", |e| e.approved_throughputs = ["pt1".to_owned()].into(), &[]),
        ("CUS-INV-06", |e| e.required_tags = ["owner".to_owned()].into(), &[]),
        ("CUS-INV-08", |e| e.approved_regions = ["us-east-1".to_owned(), "eu-west-1".to_owned()].into(), &[]),
        ("CUS-LOG-07", |e| e.log_retention_days = 1, &[]),
    ];
    for (control, change, expected) in rows {
        assert_eq!(found(&account, control, *change), *expected, "{control}");
    }
    let abroad = found(&account, "CUS-INV-08", |e| e.approved_regions = ["eu-central-1".to_owned()].into());
    assert!(!abroad.is_empty() && abroad.iter().all(|row| *row == (Fail, "region-not-approved")), "{abroad:?}");
    let tags = found(&account, "CUS-INV-06", |e| e.required_tags = ["cost-centre".to_owned()].into());
    assert!(!tags.is_empty() && tags.iter().all(|row| *row == (Fail, "missing-tags")), "{tags:?}");
    let kept = found(&account, "CUS-LOG-07", |e| e.log_retention_days = 36_500);
    assert!(kept.iter().all(|(_, code)| *code == "retention-short" || *code == "retention-forever"), "{kept:?}");
    let mut run = healthy();
    let rights = json!([{"Effect": "Allow", "Action": "bedrock:DeleteCustomModel", "Resource": MODEL}]);
    run.roles.insert(APP.into(), role(APP, json!([]), rights));
    assert_eq!(found(&run, "CUS-IAM-07", |e| e.max_model_admins = 0), [(Fail, "too-many-principals")]);
    assert_eq!(found(&run, "CUS-IAM-07", |e| e.max_model_admins = 1), []);
    let mut left = healthy();
    if let Some(retention) = left.settings.data_retention.known_mut() {
        retention.mode = "default".into();
    }
    assert_eq!(found(&left, "CUS-INV-09", |_| {}), [(Warn, "mode-left-to-aws")]);
    assert_eq!(found(&left, "CUS-INV-09", |e| e.require_no_retention = true), [(Fail, "mode-left-to-aws")]);
    let trusting = found(&account, "CUS-INV-05", |e| e.trusted_accounts.clear());
    assert!(!trusting.is_empty(), "a model of another account, and nobody is trusted");
}
