//! Who can, ways to obtain, differences, models, buckets: over inventories made by hand.

use serde_json::{Value, json};

use super::obtain::{becomes, obtain};
use super::who::{Difference, diff, who_of};
use super::*;
use crate::base::{ResourceId, Text, Timestamp};
use crate::inventory::bedrock::{CustomModel, Deployment, ModelDetail};
use crate::inventory::iam::{InlinePolicy, Role};
use crate::inventory::kms::{Grant, Key};
use crate::inventory::s3::Bucket;
use crate::inventory::{Document, Inventory, Mode, Read, SessionInfo, SourceId, SourceReport};

const A: &str = "123456789012";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/k1";
const MODEL: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.titan/abc";
const DEPLOYMENT: &str = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/d1";

fn at() -> Timestamp {
    Timestamp::from_secs(1_000)
}

fn session() -> SessionInfo {
    SessionInfo {
        generation: crate::base::Generation(1),
        account: A.into(),
        alias: None,
        principal: "arn:aws:iam::123456789012:user/oncall".into(),
        partition: "aws".into(),
        region: "us-east-1".into(),
        mode: Mode::ReadOnly,
        profile: None,
        endpoint: None,
        expires: None,
    }
}

fn document(statements: &Value) -> Document {
    Document::pretty(&json!({"Version": "2012-10-17", "Statement": statements}))
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::{A}:role/{name}")
}

fn trust(principal: Value) -> Value {
    json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}])
}

fn role(inventory: &mut Inventory, name: &str, trust: &Value, own: &Value) {
    let role = Role {
        arn: arn(name).into(),
        name: name.into(),
        role_id: "AROAX".into(),
        trust: document(trust),
        inline: vec![InlinePolicy { name: "own".into(), document: document(own) }],
        attached: Vec::new(),
        boundary: None,
        created: at(),
        last_used: None,
        tags: std::collections::BTreeMap::default(),
    };
    inventory.roles.insert(arn(name).into(), role);
}

fn key(inventory: &mut Inventory, statements: &Value) {
    let mut held = Key::bare(KEY);
    held.aliases = vec!["orion".into()];
    held.policy = Read::got(document(statements), at());
    held.grants = Read::got(Vec::new(), at());
    inventory.keys.insert(KEY.into(), held);
}

fn empty() -> Inventory {
    let mut inventory = Inventory::default();
    inventory.settings.organization = Read::got(None, at());
    for source in [SourceId::AUTHORIZATION, SourceId::DEPLOYMENTS, SourceId::THROUGHPUTS] {
        inventory.coverage.record(SourceReport::sum(source, at(), 1, &[]));
    }
    inventory
}

fn allow(principal: Value, action: &str) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"})
}

fn ask(inventory: &Inventory, target: &str, actions: &[&str]) -> Matrix {
    let target = Target::of(inventory, &session(), target).unwrap();
    let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    who_can(inventory, &target, &actions, &Scenario::open())
}

/// `name word word …`, one a row.
fn rows(matrix: &Matrix) -> Vec<String> {
    let words = |row: &Row| row.cells.iter().map(|cell| cell.decision.word()).collect::<Vec<_>>().join(" ");
    matrix.rows.iter().map(|row| format!("{} {}", row.who.id().last(), words(row))).collect()
}

#[test]
fn whoever_is_named_or_cannot_be_seen_has_a_row_and_the_unexpected_come_first() {
    let mut inventory = empty();
    role(&mut inventory, "Tuner", &json!([]), &json!([]));
    role(&mut inventory, "Idle", &json!([]), &json!([]));
    let open = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}});
    let mut all = allow(json!("*"), "kms:Encrypt");
    all["Condition"] = open;
    key(
        &mut inventory,
        &json!([
            all,
            allow(
                json!({"AWS": [arn("Tuner"), "444455556666", "AROAEXAMPLEID1234567"], "Service": "bedrock.amazonaws.com"}),
                "kms:Decrypt"
            ),
        ]),
    );
    let grant = Grant {
        id: "g".into(),
        name: None,
        grantee: "arn:aws:iam::777788889999:role/Far".into(),
        retiring: None,
        issuer: None,
        operations: vec!["Decrypt".into()],
        context_equals: std::collections::BTreeMap::default(),
        context_subset: std::collections::BTreeMap::default(),
        source_arn: None,
        created: None,
    };
    inventory.keys.get_mut(KEY).unwrap().grants = Read::got(vec![grant], at());
    let matrix = ask(&inventory, "alias/orion", &["kms:Decrypt", "kms:Encrypt"]);
    assert_eq!(
        rows(&matrix),
        [
            "* ImplicitlyDenied Conditional",
            "444455556666 Allowed Conditional",
            "Far Uncertain Uncertain",
            "Idle ImplicitlyDenied Conditional",
            "Tuner Allowed Conditional",
            "root ImplicitlyDenied Conditional",
            "bedrock.amazonaws.com Allowed Conditional",
        ]
        .map(str::to_owned)
        .to_vec()
    );
    assert!(matrix.notes.iter().any(|note| note.as_str().contains("AROAEXAMPLEID1234567")), "{:?}", matrix.notes);
    assert_eq!(matrix.gaps, Vec::<Text>::new());

    // What was not read has a row too, and the table says that it is not whole.
    inventory.coverage = crate::inventory::Coverage::default();
    let matrix = ask(&inventory, KEY, &["kms:Decrypt", "kms:Encrypt"]);
    assert!(!matrix.gaps.is_empty());
    let unseen = matrix.rows.iter().find(|row| row.who == Who::Unseen(A.into())).unwrap();
    // Decrypt is left to nobody else, whoever there may be.
    assert_eq!(unseen.cells[0].decision.word(), "ImplicitlyDenied");
    assert_eq!(unseen.cells[1].decision.word(), "Uncertain");
}

#[test]
fn a_model_is_used_through_what_serves_it_and_with_its_key() {
    let mut inventory = empty();
    let invoke = |on: &str| {
        json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": on},
        {"Effect": "Allow", "Action": "bedrock:CreateModelCopyJob", "Resource": MODEL}])
    };
    role(&mut inventory, "App", &json!([]), &invoke(DEPLOYMENT));
    role(&mut inventory, "NoKey", &json!([]), &invoke("*"));
    role(&mut inventory, "Wrong", &json!([]), &invoke(MODEL));
    let mut decrypt = allow(json!({"AWS": [arn("App"), arn("Wrong")]}), "kms:Decrypt");
    decrypt["Condition"] = json!({"StringEquals": {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}});
    key(&mut inventory, &json!([decrypt]));
    let detail =
        ModelDetail { job: None, kms_key: Some(KEY.into()), training: None, output: None, training_loss: None };
    let model = CustomModel {
        arn: MODEL.into(),
        name: "chat".into(),
        base_model: "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan".into(),
        base_model_name: "t".into(),
        customization: "FINE_TUNING".into(),
        owner: A.into(),
        owned: true,
        status: "Active".into(),
        created: at(),
        detail: Read::got(detail, at()),
        policy: Read::got(None, at()),
        tags: Read::NotAsked,
    };
    inventory.models.insert(MODEL.into(), model);
    let uses = ["bedrock:Converse", "bedrock:CreateModelCopyJob"];
    let of = |matrix: &Matrix, name: &str| {
        rows(matrix).into_iter().find(|row| row.starts_with(&format!("{name} "))).unwrap()
    };
    let nowhere = ask(&inventory, "chat", &uses);
    assert_eq!(of(&nowhere, "App"), "App ImplicitlyDenied Allowed");
    let deployment = Deployment {
        arn: DEPLOYMENT.into(),
        name: "d".into(),
        model: MODEL.into(),
        status: "Active".into(),
        created: at(),
        detail: Read::NotAsked,
        tags: Read::NotAsked,
    };
    inventory.deployments.insert(DEPLOYMENT.into(), deployment);
    let matrix = ask(&inventory, "chat", &uses);
    assert_eq!(of(&matrix, "App"), "App Allowed Allowed");
    assert_eq!(of(&matrix, "NoKey"), "NoKey ImplicitlyDenied Allowed");
    assert_eq!(of(&matrix, "Wrong"), "Wrong ImplicitlyDenied Allowed");
    let no_key = matrix.rows.iter().find(|row| row.who.id().last() == "NoKey").unwrap();
    assert!(no_key.cells[0].decision.words().as_str().contains("kms:Decrypt"), "{}", no_key.cells[0].decision.words());
    // Which key it is under was not read: nobody can tell.
    inventory.models.get_mut(MODEL).unwrap().detail = Read::NotAsked;
    assert_eq!(of(&ask(&inventory, "chat", &uses), "App"), "App Uncertain Allowed");
}

#[test]
fn a_profile_needs_the_base_models_too() {
    let mut inventory = empty();
    let profile: crate::base::Arn = format!("arn:aws:bedrock:us-east-1:{A}:inference-profile/us.x").parse().unwrap();
    let model: crate::base::Arn = "arn:aws:bedrock:us-west-2::foundation-model/x".parse().unwrap();
    let tied = json!({"StringEquals": {"bedrock:InferenceProfileArn": profile.to_string()}});
    let both = json!([{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": profile.to_string()},
        {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": model.to_string(), "Condition": tied}]);
    role(&mut inventory, "Both", &json!([]), &both);
    role(&mut inventory, "Half", &json!([]), &json!([both[0]]));
    for (name, models, expected) in [
        ("Both", vec![model.clone()], "Allowed"),
        ("Half", vec![model], "ImplicitlyDenied"),
        ("Both", vec![], "Uncertain"),
    ] {
        let identity = Identity::of(&inventory, &Caller::parse(&arn(name)).unwrap());
        let (open, none) = (Scenario::open(), Guards::none());
        let answer = models::profile_answer(&identity, "bedrock:Converse", &profile, &models, &open, &none);
        assert_eq!(answer.decision.word(), expected, "{name}: {}", answer.decision.words());
    }
}

#[test]
fn some_object_of_a_bucket_is_a_condition_where_a_policy_names_a_part() {
    let mut inventory = empty();
    let read = |on: &str| json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": on}]);
    role(&mut inventory, "All", &json!([]), &read("arn:aws:s3:::train/*"));
    role(&mut inventory, "Part", &json!([]), &read("arn:aws:s3:::train/chat/*"));
    role(&mut inventory, "Other", &json!([]), &read("arn:aws:s3:::other/*"));
    let mut bucket = Bucket::bare("train");
    bucket.owned = Read::got(true, at());
    bucket.policy = Read::got(None, at());
    inventory.buckets.insert("train".into(), bucket);
    let matrix = ask(&inventory, "train", &["s3:GetObject", "s3:ListBucket"]);
    let found = rows(&matrix);
    for expected in
        ["All Allowed ImplicitlyDenied", "Part Conditional ImplicitlyDenied", "Other ImplicitlyDenied ImplicitlyDenied"]
    {
        assert!(found.contains(&expected.to_owned()), "{expected}: {found:#?}");
    }
    let part = matrix.rows.iter().find(|row| row.who.id().last() == "Part").unwrap();
    assert_eq!(part.cells[0].when.words().as_str(), "the object is arn:aws:s3:::train/chat/*");
    let one = |object: &str| {
        let target = Target::of(&inventory, &session(), object).unwrap();
        let identity = Identity::of(&inventory, &Caller::parse(&arn("Part")).unwrap());
        who::answer(&target, &identity, "s3:GetObject", &Scenario::open(), &Guards::default()).decision.word()
    };
    assert_eq!((one("arn:aws:s3:::train/chat/a"), one("arn:aws:s3:::train/logs/a")), ("Allowed", "ImplicitlyDenied"));
}

#[test]
fn roles_are_become_through_roles_and_a_circle_ends() {
    let mut inventory = empty();
    let named = |name: &str| json!({"AWS": arn(name)});
    role(&mut inventory, "Target", &trust(named("Middle")), &json!([]));
    role(&mut inventory, "Middle", &trust(json!({"AWS": [arn("Start"), arn("Target")]})), &json!([]));
    role(&mut inventory, "Start", &trust(json!({"AWS": ["444455556666"], "Service": "ec2.amazonaws.com"})), &json!([]));
    role(&mut inventory, "Apart", &trust(json!({"Service": "ec2.amazonaws.com"})), &json!([]));
    let people = People::of(&inventory);
    let found = becomes(&inventory, &people, &arn("Target").into());
    let told: Vec<String> = found
        .routes
        .iter()
        .map(|route| {
            let hops: Vec<&str> = route.through.iter().map(ResourceId::last).collect();
            format!("{} > {}", route.who.id().last(), hops.join(" > "))
        })
        .collect();
    assert_eq!(
        told,
        ["Middle > ", "Start > Middle", "444455556666 > Start > Middle", "ec2.amazonaws.com > Start > Middle",]
    );
    assert!(found.gaps.is_empty());
    // A chain too long to follow is said, not forgotten.
    for n in 0..12 {
        role(&mut inventory, &format!("R{n}"), &trust(named(&format!("R{}", n + 1))), &json!([]));
    }
    role(&mut inventory, "R12", &json!([]), &json!([]));
    let found = becomes(&inventory, &People::of(&inventory), &arn("R0").into());
    assert_eq!(found.routes.len(), obtain::MOST_HOPS + 1);
    assert!(found.gaps[0].as_str().contains("not followed"));
}

#[test]
fn who_can_obtain_access_is_told_apart_from_who_has_it() {
    let mut inventory = empty();
    role(&mut inventory, "Tuner", &trust(json!({"AWS": arn("App")})), &json!([]));
    role(&mut inventory, "App", &json!([]), &json!([]));
    role(
        &mut inventory,
        "Passer",
        &json!([]),
        &json!([{"Effect": "Allow", "Action": "iam:PassRole", "Resource": arn("Tuner")}]),
    );
    role(
        &mut inventory,
        "Admin",
        &json!([]),
        &json!([{"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}]),
    );
    key(
        &mut inventory,
        &json!([allow(json!({"AWS": arn("Tuner")}), "kms:Decrypt"), allow(json!({"AWS": A}), "kms:PutKeyPolicy"),]),
    );
    let target = Target::of(&inventory, &session(), KEY).unwrap();
    let mut people = People::of(&inventory);
    let matrix = who_of(&inventory, &mut people, &target, &["kms:Decrypt".to_owned()], &Scenario::open());
    let ways = obtain(&inventory, &people, &target, &matrix);
    let told: Vec<String> =
        ways.ways.iter().map(|way| format!("{} {} {}", way.who.id().last(), way.action, way.on.last())).collect();
    assert_eq!(
        told,
        [
            "Admin kms:PutKeyPolicy k1",
            "root kms:PutKeyPolicy k1",
            "Passer iam:PassRole Tuner",
            "App sts:AssumeRole Tuner",
        ]
    );
}

#[test]
fn who_can_raise_their_own_rights_is_told_where_the_key_leaves_it_to_the_account() {
    let own = |action: &str, on: &str| json!([{"Effect": "Allow", "Action": action, "Resource": on}]);
    let mut inventory = empty();
    role(&mut inventory, "Putter", &json!([]), &own("iam:PutRolePolicy", "*"));
    role(&mut inventory, "Other", &json!([]), &own("iam:PutRolePolicy", &arn("Putter")));
    role(&mut inventory, "Versions", &json!([]), &own("iam:CreatePolicyVersion", "*"));
    let managed = "arn:aws:iam::123456789012:policy/team";
    let policy = crate::inventory::iam::ManagedPolicy {
        arn: managed.into(),
        name: "team".into(),
        version: "v1".into(),
        document: document(&json!([])),
    };
    inventory.policies.insert(managed.into(), policy);
    inventory.roles.get_mut(arn("Versions").as_str()).unwrap().attached = vec![managed.into()];
    let told = |inventory: &Inventory| {
        let target = Target::of(inventory, &session(), KEY).unwrap();
        let mut people = People::of(inventory);
        let matrix = who_of(inventory, &mut people, &target, &["kms:Decrypt".to_owned()], &Scenario::open());
        let ways = obtain(inventory, &people, &target, &matrix).ways.into_iter();
        let lines = ways.filter(|way| way.action.starts_with("iam:"));
        lines.map(|way| format!("{} {} {}", way.who.id().last(), way.action, way.on.last())).collect::<Vec<_>>()
    };
    key(&mut inventory, &json!([allow(json!({"AWS": A}), "kms:*")]));
    assert_eq!(told(&inventory), ["Putter iam:PutRolePolicy Putter", "Versions iam:CreatePolicyVersion team"]);
    // A key that does not leave it to the account is out of their reach.
    key(&mut inventory, &json!([allow(json!({"AWS": arn("Tuner")}), "kms:*")]));
    assert_eq!(told(&inventory), Vec::<String>::new());
}

#[test]
fn tags_and_aliases_are_powers_where_policies_tell_a_key_by_them() {
    let mut inventory = empty();
    let admin = json!([{"Effect": "Allow", "Action": ["kms:TagResource", "kms:UpdateAlias"], "Resource": "*"}]);
    role(&mut inventory, "Tagger", &json!([]), &admin);
    let told = |inventory: &Inventory| {
        let target = Target::of(inventory, &session(), KEY).unwrap();
        let mut people = People::of(inventory);
        let matrix = who_of(inventory, &mut people, &target, &["kms:Decrypt".to_owned()], &Scenario::open());
        let ways = obtain(inventory, &people, &target, &matrix).ways.into_iter();
        let by_tagger = ways.filter(|way| way.who.id().last() == "Tagger");
        by_tagger.map(|way| way.action).collect::<Vec<_>>()
    };
    let root = allow(json!({"AWS": A}), "kms:*");
    key(&mut inventory, &json!([root]));
    assert_eq!(told(&inventory), Vec::<String>::new());
    let by = |key: &str| {
        json!({"Effect": "Allow", "Principal": {"AWS": A}, "Action": "kms:Decrypt", "Resource": "*",
            "Condition": {"StringEquals": {key: "x"}}})
    };
    key(&mut inventory, &json!([root, by("aws:ResourceTag/team")]));
    assert_eq!(told(&inventory), ["kms:TagResource"]);
    key(&mut inventory, &json!([root, by("kms:ResourceAliases")]));
    assert_eq!(told(&inventory), ["kms:UpdateAlias"]);
}

#[test]
fn a_diff_tells_gains_of_strangers_first_and_widening_from_narrowing() {
    let mut before = empty();
    role(&mut before, "Tuner", &json!([]), &json!([]));
    role(&mut before, "App", &json!([]), &json!([]));
    role(&mut before, "Old", &json!([]), &json!([]));
    let mut after = before.clone();
    let via = |hosts: Value| json!({"StringEquals": {"kms:ViaService": hosts}});
    let with = |name: &str, hosts: Value| {
        let mut one = allow(json!({"AWS": arn(name)}), "kms:Decrypt");
        one["Condition"] = via(hosts);
        one
    };
    key(
        &mut before,
        &json!([
            with("Tuner", json!("a")),
            with("App", json!(["a", "b"])),
            allow(json!({"AWS": arn("Old")}), "kms:Decrypt")
        ]),
    );
    key(
        &mut after,
        &json!([
            with("Tuner", json!(["b", "a"])),
            with("App", json!("b")),
            allow(json!({"AWS": "444455556666"}), "kms:Decrypt")
        ]),
    );
    let changes = diff(&ask(&before, KEY, &["kms:Decrypt"]), &ask(&after, KEY, &["kms:Decrypt"]));
    let told = |one: &Difference| format!("{} {}", one.who.id().last(), one.shift.word());
    assert_eq!(
        changes.iter().map(told).collect::<Vec<_>>(),
        ["444455556666 gain", "Tuner widen", "App narrow", "Old lose"]
    );
    let same = ask(&before, KEY, &["kms:Decrypt"]);
    assert_eq!(diff(&same, &same), Vec::new());
}

#[test]
fn targets_are_found_by_name_and_what_is_not_there_is_said() {
    let mut inventory = empty();
    key(&mut inventory, &json!([]));
    role(&mut inventory, "orion", &json!([]), &json!([]));
    let of = |text: &str| Target::of(&inventory, &session(), text).map(|target| target.arn().to_string());
    assert_eq!(of("alias/orion").unwrap(), KEY);
    assert_eq!(of("k1").unwrap(), KEY);
    assert_eq!(of("arn:aws:kms:us-east-1:123456789012:alias/orion").unwrap(), KEY);
    assert!(matches!(of("orion"), Err(NoTarget::Ambiguous { count: 2, .. })));
    assert!(matches!(of("nothing"), Err(NoTarget::Unknown(_))));
    assert!(matches!(of("arn:aws:kms:us-east-1:123456789012:alias/none"), Err(NoTarget::Unknown(_))));
}

#[test]
fn the_deciding_statement_is_found_in_the_bytes() {
    let mut inventory = empty();
    role(&mut inventory, "Tuner", &json!([]), &json!([]));
    key(
        &mut inventory,
        &json!([allow(json!({"AWS": A}), "kms:Put*"), allow(json!({"AWS": arn("Tuner")}), "kms:Decrypt")]),
    );
    let answer =
        key_decision(&inventory, &KEY.into(), &Caller::parse(&arn("Tuner")).unwrap(), "kms:Decrypt", &Scenario::open());
    let (from, to) = answer.decision.by()[0].span.unwrap();
    let raw = inventory.keys[KEY].policy.known().unwrap().raw();
    let shown: Value = serde_json::from_str(&raw[from..to]).unwrap();
    assert_eq!(shown, allow(json!({"AWS": arn("Tuner")}), "kms:Decrypt"));
}
