//! How fast access is worked out: `cargo bench --bench access`. Figures, not tests; but every figure is of right
//! answers, because a sample of cells is asked again of the plain evaluator.
//!
//! The account is made up, and larger than most: 10,000 roles and users with 60 managed and 4,000 inline policies, 200
//! keys with root delegation, named users, service conditions, wildcard principals, other accounts and grants.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bedwatch::access::batch::evaluate_line;
use bedwatch::access::catalogue;
use bedwatch::access::engine::{Survey, Verdict};
use bedwatch::access::identity::Boundary;
use bedwatch::access::obtain::obtain;
use bedwatch::access::who::who_of;
use bedwatch::access::{
    Bounds, Caller, ContextValue, Facts, Guards, Identity, Layer, Policy, Resource, Rules, Scenario,
};
use bedwatch::access::{KeyAccess, People, Target};
use bedwatch::base::{ResourceId, Text, Timestamp};
use bedwatch::inventory::iam::{ManagedPolicy, Role};
use bedwatch::inventory::kms::{Grant, Key};
use bedwatch::inventory::{Document, Inventory, Read, SourceId, SourceReport, Tags};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const PEOPLE: usize = 10_000;
const KEYS: usize = 200;

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

fn policy(statements: &[Value]) -> Policy {
    match Policy::from_json(&json!({"Version": "2012-10-17", "Statement": statements})) {
        Ok(policy) if policy.is_well_formed() => policy,
        other => unreachable!("a policy of the bench is malformed: {other:?}"),
    }
}

fn key_arn(at: usize) -> String {
    format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{at:08x}-1111-2222-3333-444455556666")
}

fn caller_arn(at: usize) -> String {
    if at % 10 == 9 {
        format!("arn:aws:iam::{ACCOUNT}:user/people/user-{at}")
    } else {
        format!("arn:aws:iam::{ACCOUNT}:role/teams/role-{at}")
    }
}

fn managed(dice: &mut Dice) -> Vec<Arc<Policy>> {
    let one = |at: usize, dice: &mut Dice| {
        let mut statements = vec![
            json!({"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}),
            json!({"Effect": "Allow", "Action": "logs:*", "Resource": "*"}),
        ];
        match at % 6 {
            0 => statements
                .push(json!({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
                "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}})),
            1 => statements.push(
                json!({"Effect": "Allow", "Action": ["kms:Describe*", "kms:List*", "kms:Get*"], "Resource": "*"}),
            ),
            2 => {
                let keys: Vec<String> = (0..5).map(|_| key_arn(dice.below(KEYS))).collect();
                statements.push(json!({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": keys}));
            }
            3 => statements.push(
                json!({"Effect": "Allow", "Action": "kms:*", "Resource": format!("arn:aws:kms:*:{ACCOUNT}:key/*"),
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}}}),
            ),
            4 => statements.push(
                json!({"Effect": "Deny", "Action": ["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"], "Resource": "*",
                "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}),
            ),
            _ => {}
        }
        Arc::new(policy(&statements))
    };
    (0..60).map(|at| one(at, dice)).collect()
}

/// Roles and users, each with a few managed policies; two in five have one of their own.
fn people(dice: &mut Dice) -> Vec<Identity> {
    let managed = managed(dice);
    let bounds = Arc::new(Bounds::none());
    let admin = Arc::new(policy(&[json!({"Effect": "Allow", "Action": "*", "Resource": "*"})]));
    let fence =
        Arc::new(policy(&[json!({"Effect": "Allow", "NotAction": ["iam:*", "kms:PutKeyPolicy"], "Resource": "*"})]));
    let mut all: Vec<Identity> = (0..PEOPLE)
        .map(|at| {
            let mut policies: Vec<(Layer, Arc<Policy>)> = Vec::new();
            for _ in 0..=dice.below(3) {
                policies.push((Layer::Identity(Text::new("managed")), Arc::clone(&managed[dice.below(60)])));
            }
            if dice.one_in(100) {
                policies.push((Layer::Identity(Text::new("admin")), Arc::clone(&admin)));
            }
            if at % 5 < 2 {
                // Its own policy: half of them name keys.
                let statement = if dice.one_in(2) {
                    json!({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": key_arn(dice.below(KEYS))})
                } else {
                    json!({"Effect": "Allow", "Action": "dynamodb:*", "Resource": format!("arn:aws:dynamodb:*:*:table/t-{at}")})
                };
                policies.push((Layer::Identity(Text::new("inline")), Arc::new(policy(&[statement]))));
            }
            let mut facts = Facts::none();
            let team = format!("team-{}", at % 40);
            facts.tags("aws:PrincipalTag/", &[(Text::new("team"), Text::new(team))].into_iter().collect());
            let boundary = (at % 10 == 3).then(|| Boundary {
                arn: ResourceId::new(format!("arn:aws:iam::{ACCOUNT}:policy/fence")),
                policy: Ok(Arc::clone(&fence)),
            });
            let Ok(caller) = Caller::parse(&caller_arn(at)) else { unreachable!("an ARN of the bench is none") };
            Identity { caller, policies, boundary, facts, gaps: Vec::new(), bounds: Arc::clone(&bounds) }
        })
        .collect();
    all.sort_by(|a, b| a.caller.cmp(&b.caller));
    all
}

fn keys(dice: &mut Dice) -> Vec<Resource> {
    let some = |dice: &mut Dice, most: usize| -> Vec<String> {
        (0..=dice.below(most)).map(|_| caller_arn(dice.below(PEOPLE / 10) * 10)).collect()
    };
    (0..KEYS)
        .map(|at| {
            let use_it = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
            let mut statements = vec![
                json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
                    "Action": "kms:*", "Resource": "*"}),
                json!({"Sid": "Admins", "Effect": "Allow", "Principal": {"AWS": some(dice, 3)},
                    "Action": ["kms:Create*", "kms:Put*", "kms:ScheduleKeyDeletion", "kms:TagResource"], "Resource": "*"}),
                json!({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": some(dice, 10)}, "Action": use_it, "Resource": "*"}),
                json!({"Sid": "Grants", "Effect": "Allow", "Principal": {"AWS": some(dice, 10)}, "Action": "kms:CreateGrant",
                    "Resource": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}),
            ];
            if at % 4 == 0 {
                statements.push(json!({"Sid": "ThroughBedrock", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": use_it,
                    "Resource": "*", "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT,
                        "kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}}));
            }
            if at % 5 == 0 {
                statements.push(json!({"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "444455556666"},
                    "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*"}));
            }
            if at % 6 == 0 {
                statements.push(json!({"Sid": "OnlyTeams", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion",
                    "Resource": "*", "Condition": {"StringNotLike": {"aws:PrincipalArn": format!("arn:aws:iam::{ACCOUNT}:role/teams/*")}}}));
            }
            let grants = (0..dice.below(4)).map(|n| Grant {
                id: ResourceId::new(n.to_string()),
                name: None,
                grantee: ResourceId::new(caller_arn(dice.below(PEOPLE))),
                retiring: None,
                issuer: None,
                source_arn: None,
                operations: vec![Text::new("Decrypt"), Text::new("GenerateDataKey")],
                context_equals: std::collections::BTreeMap::new(),
                context_subset: [(Text::new("app"), Text::new("tuning"))].into_iter().collect(),
                created: None,
            });
            let grants = grants.collect();
            let mut facts = Facts::none();
            facts.set("aws:ResourceTag/team", ContextValue::one(format!("team-{}", at % 40)));
            let Ok(arn) = key_arn(at).parse() else { unreachable!("an ARN of the bench is none") };
            Resource { rules: Rules::Known(policy(&statements)), grants: Ok(grants), facts, ..Resource::plain(arn) }
        })
        .collect()
}

/// The best of some runs: what the work costs when nothing else is in the way.
fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> (Duration, T) {
    let mut once = || {
        let start = Instant::now();
        let made = black_box(work());
        (start.elapsed(), made)
    };
    let mut least = once();
    for _ in 1..runs {
        let next = once();
        if next.0 < least.0 {
            least = next;
        }
    }
    least
}

/// The most memory that the process has held, in MB; Linux only.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn say(what: &str, time: Duration, target: &str, more: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is nobody's loss here.
    let _ = writeln!(out, "{what:<58} {:>9.1} ms   target {target:<10} {more}", time.as_secs_f64() * 1e3);
}

fn main() {
    let mut dice = Dice(7);
    let (people, keys) = (people(&mut dice), keys(&mut dice));
    let kms = catalogue::service("kms").into_iter().flat_map(|of| &of.actions);
    let actions: Vec<String> = kms.map(|action| action.name.clone()).collect();
    assert_eq!(actions.len(), 56, "every action of KMS");
    let (scenario, guards) = (Scenario::open(), Guards::default());
    let before = peak();

    let (time, grids) = best(5, || Survey::of(&people, &actions, &scenario, &guards).grids(&keys));
    let cells = people.len() * keys.len() * actions.len();
    let open: usize = grids.iter().map(bedwatch::access::engine::Grid::accesses).sum();
    let more = format!("{} M cells, {open} of them not denied", cells / 1_000_000);
    say("10,000 principals x 200 keys x 56 actions", time, "500 ms", &more);
    if let (Some(before), Some(after)) = (before, peak()) {
        say(
            "  peak memory, MB (the account itself: the second)",
            Duration::ZERO,
            "300 MB",
            &format!("{after} MB, {before} MB"),
        );
    }

    let (time, _) = best(5, || Survey::of(&people, &actions, &scenario, &guards).grid(&keys[0]));
    say("one key, 10,000 principals, from nothing", time, "20 ms", "");
    let mut survey = Survey::of(&people, &actions, &scenario, &guards);
    survey.grid(&keys[1]);
    let (time, _) = best(9, || survey.grid(&keys[0]));
    say("one key, 10,000 principals, the people made ready before", time, "20 ms", "");

    let mut edited = keys[0].clone();
    if let Rules::Known(policy) = &mut edited.rules {
        let more = json!({"Effect": "Deny", "Principal": "*", "Action": ["kms:Decrypt", "kms:CreateGrant"], "Resource": "*",
            "Condition": {"StringNotEqualsIfExists": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}});
        policy.statements.extend(self::policy(&[more]).statements);
    }
    let (time, moves) = best(9, || survey.moves(&keys[0], &edited));
    say("what a one-statement edit changes", time, "20 ms", &format!("{} cells change", moves.len()));

    reasons(&mut dice);

    // Right, not only fast.
    let mut open = 0;
    let mut plain = Duration::ZERO;
    for _ in 0..20_000 {
        let (key, person, column) = (dice.below(keys.len()), dice.below(people.len()), dice.below(actions.len()));
        let start = Instant::now();
        let answer = survey.explain(person, column, &keys[key]);
        plain += start.elapsed();
        let fast = grids[key].verdict(person, column);
        assert_eq!(fast, Verdict::of(&answer.decision), "{} {}", actions[column], keys[key].arn);
        open += usize::from(!fast.is_denied());
    }
    say("20,000 cells again by the plain evaluator: all the same", plain, "-", &format!("{open} not denied"));

    eval();
}

/// A whole account as it is read, and one key: who can do what that matters, with the reasons of every cell.
fn reasons(dice: &mut Dice) {
    let at = Timestamp::from_secs(1);
    let document = |statements: &[Value]| Document::pretty(&json!({"Version": "2012-10-17", "Statement": statements}));
    let mut inventory = Inventory::default();
    inventory.settings.organization = Read::got(None, at);
    for policy in 0..60 {
        let actions: &[&str] = match policy % 4 {
            0 => &["kms:Decrypt", "kms:DescribeKey"],
            1 => &["s3:*"],
            2 => &["kms:Encrypt", "kms:GenerateDataKey*", "bedrock:*"],
            _ => &["logs:*", "ec2:Describe*"],
        };
        let on = if policy % 3 == 0 { key_arn(dice.below(KEYS)) } else { "*".to_owned() };
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/managed-{policy}");
        let held = ManagedPolicy {
            arn: ResourceId::new(&arn),
            name: Text::new(format!("managed-{policy}")),
            version: "v1".into(),
            document: document(&[json!({"Effect": "Allow", "Action": actions, "Resource": on})]),
        };
        inventory.policies.insert(held.arn.clone(), held);
    }
    for person in 0..PEOPLE {
        let name = format!("role-{person}");
        let attached =
            |dice: &mut Dice| ResourceId::new(format!("arn:aws:iam::{ACCOUNT}:policy/managed-{}", dice.below(60)));
        let role = Role {
            arn: ResourceId::new(format!("arn:aws:iam::{ACCOUNT}:role/{name}")),
            name: Text::new(&name),
            role_id: Text::new(format!("AROA{person}")),
            trust: document(&[
                json!({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
            ]),
            inline: Vec::new(),
            attached: vec![attached(dice), attached(dice)],
            boundary: None,
            created: at,
            last_used: None,
            tags: Tags::default(),
        };
        inventory.roles.insert(role.arn.clone(), role);
    }
    let mut key = Key::bare(key_arn(0));
    key.policy = Read::got(
        document(&[
            json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}),
            json!({"Sid": "NoDelete", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "ops"}}}),
        ]),
        at,
    );
    key.grants = Read::got(Vec::new(), at);
    let Some(access) = KeyAccess::of(&key) else { unreachable!("the key of the bench has an ARN") };
    let target = Target::One(Box::new(access.resource()));
    inventory.coverage.record(SourceReport::sum(SourceId::AUTHORIZATION, at, PEOPLE, &[]));
    let actions: Vec<String> = target.actions().iter().map(|action| (*action).to_owned()).collect();
    let (time, matrix) =
        best(5, || who_of(&inventory, &mut People::of(&inventory), &target, &actions, &Scenario::open()));
    let open = matrix.rows.iter().filter(|row| row.has_access()).count();
    let more = format!("{} rows x {} actions, {open} with access", matrix.rows.len(), actions.len());
    say("who can, from the account that was read, with reasons", time, "-", &more);
    let (time, ways) = best(2, || obtain(&inventory, &People::of(&inventory), &target, &matrix));
    say("  who can obtain it", time, "-", &format!("{} ways", ways.ways.len()));
}

/// `access-eval` on one core: the cases of the conformance table, and one of the size that accounts have.
fn eval() {
    let table = include_str!("../tests/access/conformance.ndjson");
    let case = |line: &str| serde_json::from_str::<Value>(line).map(|row| row["case"].to_string()).unwrap_or_default();
    let lines: Vec<String> = table.lines().map(case).collect();
    let bytes = lines.iter().map(String::len).sum::<usize>() / lines.len();
    let (time, _) = best(9, || {
        (0..20).map(|_| lines.iter().map(|line| evaluate_line(line.as_bytes()).len()).sum::<usize>()).sum::<usize>()
    });
    let rate = |cases: usize, time: Duration| format!("{:.0} cases/s", cases as f64 / time.as_secs_f64());
    let more = format!("{} ({} cases of {bytes} bytes)", rate(20 * lines.len(), time), 20 * lines.len());
    say("access-eval, one core: the conformance table", time, "50,000/s", &more);

    let big = json!({
        "id": "c1",
        "identityPolicies": [{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": key_arn(1),
             "Condition": {"StringEquals": {"aws:PrincipalTag/team": "ml"}}}]}],
        "resourcePolicy": {"Version": "2012-10-17", "Statement": [
            {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"},
            {"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": [caller_arn(1), caller_arn(2), caller_arn(3)]},
             "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"], "Resource": "*",
             "Condition": {"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}}},
            {"Sid": "NoDelete", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}]},
        "grants": [{"granteePrincipal": caller_arn(4), "operations": ["Decrypt"], "encryptionContextSubset": {"app": "x"}}],
        "request": {"principal": caller_arn(7), "action": "kms:Decrypt", "resource": key_arn(1),
            "context": {"kms:ViaService": "s3.us-east-1.amazonaws.com", "aws:PrincipalTag/team": "ml"}},
        "unknownContext": ["aws:SourceIp"],
    });
    let line = big.to_string();
    let (time, _) = best(9, || (0..2_000).map(|_| evaluate_line(line.as_bytes()).len()).sum::<usize>());
    let more = format!("{} ({} bytes)", rate(2_000, time), line.len());
    say("access-eval, one core: a case with two policies and a grant", time, "-", &more);
}
