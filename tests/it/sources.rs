//! The collectors around Bedrock against the bed: the planted facts arrive, a service that is off is
//! data, one that is denied is a denial, and nothing leaks that must not.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::pty::bed_env;
use crate::scan::{bedwatch, err, out};

/// Everything that is read, as a case holds it.
fn export(bed: &Bed) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seen.case");
    let path = file.to_str().unwrap();
    let recorded = bedwatch(&["case", "record", path, "--endpoint-url", &bed.url], &bed_env("ONCALLREADONLY"));
    assert!(recorded.status.success(), "{}", err(&recorded));
    let exported = bedwatch(&["case", "export", path], &[]);
    let text = out(&exported);
    (serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {}", err(&exported))), text)
}

/// State and error kind of each source that every scan reads, by its name.
fn coverage(bed: &Bed) -> Vec<(String, String, String)> {
    let env = [bed_env("ONCALLREADONLY"), vec![("AWS_MAX_ATTEMPTS", "1"), ("AWS_RETRY_MODE", "standard")]].concat();
    let output = bedwatch(&["scan", "--endpoint-url", &bed.url, "-M", "json"], &env);
    let document: Value = serde_json::from_str(&out(&output)).unwrap_or_else(|e| panic!("{e}: {}", err(&output)));
    let text = |line: &Value, pointer: &str| line.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let every = |line: &&Value| bedwatch::inventory::SourceId::named(&text(line, "/source")).unwrap().is_read();
    let lines = document["coverage"].as_array().unwrap().iter().filter(every);
    lines.map(|line| (text(line, "/source"), text(line, "/state"), text(line, "/error/kind"))).collect()
}

#[test]
fn the_planted_facts_arrive_and_nothing_else() {
    let bed = Bed::orion();
    let (case, text) = export(&bed);
    let inventory = &case["inventory"];
    let ids = |table: &str| -> Vec<String> {
        inventory[table].as_object().unwrap_or_else(|| panic!("no {table}")).keys().cloned().collect()
    };
    let at = |pointer: &str| inventory.pointer(pointer).cloned().unwrap_or(Value::Null);
    let got = |value: Value| json!({"state": "got", "value": value});
    let setting = |name: &str| {
        let mut read = inventory["settings"][name].clone();
        read.as_object_mut().map(|read| read.remove("at"));
        read
    };
    // Organizations: the path, the policies of every level (one a page), no Bedrock policy.
    assert_eq!(setting("organization_path"), got(json!(["r-orion", "ou-orion-ml", "123456789012"])));
    assert_eq!(ids("organization_policies"), ["p-FullAWSAccess", "p-RCPFullAWSAccess", "p-orionkeys"]);
    assert_eq!(at("/organization_policies/p-FullAWSAccess/targets").as_array().map(Vec::len), Some(3));
    assert!(at("/organization_policies/p-orionkeys/document/value").as_str().unwrap().contains("LONG_TERM"));
    assert_eq!(setting("bedrock_policy"), got(Value::Null));
    // Access Analyzer: what is active and on lineage; a bucket elsewhere and what was archived are not.
    assert_eq!(ids("analyzer_findings"), ["aa-public-role", "aa-shared-key", "aa-wide-role"]);
    assert_eq!(at("/analyzer_findings/aa-shared-key/detail/value/principal/AWS"), "444455556666");
    // GuardDuty: on, with a gap; current findings of the types that matter; a plan in trouble.
    let detectors = ids("detectors");
    let features = at(&format!("/detectors/{}/detail/value/features", detectors[0]));
    assert_eq!((detectors.len(), &features["S3_DATA_EVENTS"]), (1, &json!("ENABLED")));
    assert_eq!(ids("threats"), ["gd-file", "gd-invocations"]);
    assert_eq!(at("/threats/gd-invocations/detail/value/principal"), "AppGreedy");
    assert_eq!(at("/malware_plans/orionplan01/detail/value/status"), "WARNING");
    // Macie.
    assert_eq!(at("/settings/macie/value/status"), "ENABLED");
    assert_eq!(ids("macie_buckets"), ["orion-logs", "orion-train", "orion-val"]);
    assert_eq!(
        (at("/macie_buckets/orion-train/in_job"), at("/macie_buckets/orion-logs/error")),
        (json!(true), json!("ACCESS_DENIED"))
    );
    assert_eq!(ids("sensitive_findings"), ["macie-emails"]);
    assert_eq!(at("/sensitive_findings/macie-emails/detail/value/detections"), json!([["EMAIL_ADDRESS", 12]]));
    // CloudWatch.
    assert_eq!(ids("alarms").len(), 2);
    assert_eq!(at("/metrics/AWS~1Bedrock ModelInvocationLogsS3DeliveryFailure/day"), 20.0);
    let invoked: Vec<_> = inventory["metrics"]
        .as_object()
        .unwrap()
        .values()
        .filter(|m| m["id"].as_str().unwrap().contains("provisioned-model/"))
        .collect();
    assert_eq!((invoked.len(), invoked.iter().filter(|metric| metric["day"] == 60.0).count()), (3, 1));
    // Who and what feeds, grades, shares.
    assert_eq!(ids("api_keys"), ["ACCAORION0000000001"]);
    assert_eq!(at("/api_keys/ACCAORION0000000001/expires"), Value::Null);
    assert_eq!(at("/last_uses/arn:aws:iam::123456789012:role~1App/detail/state"), "got");
    let grader = "/functions/arn:aws:lambda:us-east-1:123456789012:function:orion-grader";
    assert_eq!(at(&format!("{grader}/configuration/value/role")), "arn:aws:iam::123456789012:role/svc-03");
    assert!(!text.contains("must-never-be-seen"), "the environment of a function is not read");
    assert_eq!(
        at("/training_jobs/arn:aws:sagemaker:us-east-1:123456789012:training-job~1eyes/detail/value/isolated"),
        false
    );
    let share = inventory["shares"].as_object().unwrap().values().next().unwrap();
    assert_eq!(
        (&share["detail"]["value"]["external_allowed"], &share["principals"]["value"][0]["external"]),
        (&json!(true), &json!(true))
    );
    // Settings and what surrounds the network.
    assert_eq!(at("/settings/public_access/value/restrict_buckets"), false);
    assert_eq!(at("/settings/data_retention/value/mode"), "provider_data_share");
    assert_eq!((ids("flow_logs").len(), ids("dhcp_options").len(), ids("prefix_lists").len()), (1, 2, 1));
    // Parts of what was read before.
    assert_eq!(at("/enforced_guardrails/orion-enforced/messages"), "SELECTIVE");
    assert_eq!(ids("guardrail_versions").len(), 3);
    let stores: Vec<_> = inventory["event_data_stores"].as_object().unwrap().values().collect();
    assert_eq!(
        stores[0]["detail"]["value"]["selectors"][0]["conditions"][1]["values"],
        json!(["AWS::Bedrock::Guardrail"])
    );
    let group = "/log_groups/~1aws~1bedrock~1modelinvocations";
    assert_eq!(at(&format!("{group}/filters/value/0/metrics")), json!([["Orion", "Attacks"]]));
    assert!(at(&format!("{group}/protection/value")).as_str().unwrap().contains("EmailAddress"));
    let jobs: Vec<_> = inventory["jobs"].as_object().unwrap().values().collect();
    let detail = |name: &str, field: &str| {
        jobs.iter().find(|job| job["name"] == name).map(|job| job["detail"]["value"][field].clone()).unwrap()
    };
    assert!(detail("orion-fast-1", "grader").as_str().unwrap().ends_with(":orion-grader"));
    assert_eq!(detail("orion-shared-1", "invocation_logs")["use_responses"], true);
    assert_eq!(bed.mutating(), 0, "reading changes nothing");
}

#[test]
fn an_account_without_any_of_them_is_read_completely() {
    let bed = Bed::start(&["--seed", "none"]);
    let gaps: Vec<_> = coverage(&bed).into_iter().filter(|(_, state, _)| state != "complete").collect();
    assert!(gaps.is_empty(), "{gaps:?}");
    let (case, _) = export(&bed);
    let settings = &case["inventory"]["settings"];
    assert_eq!(settings["macie"]["value"]["status"], "NOT_ENABLED");
    assert_eq!((&settings["organization"]["state"], &settings["organization"]["value"]), (&json!("got"), &Value::Null));
    assert_eq!(settings["public_access"]["value"]["block_acls"], false);
}

#[test]
fn a_denied_service_is_denied_and_the_others_are_read() {
    let bed = Bed::orion();
    let services = [
        ("organizations", "organizations"),
        ("accessanalyzer", "access-analyzer"),
        ("guardduty", "guardduty"),
        ("macie2", "macie2"),
        ("cloudwatch", "cloudwatch"),
        ("ram", "ram"),
        ("sagemaker", "sagemaker"),
        ("lambda", "lambda"),
        ("s3control", "s3control"),
    ];
    for (service, _) in services {
        bed.fault(&json!({"kind": "access_denied", "service": service, "operation": "*"}));
    }
    let prefixes: Vec<_> = services.iter().map(|(_, prefix)| *prefix).collect();
    for (source, state, kind) in coverage(&bed) {
        let denied = prefixes.contains(&source.split(':').next().unwrap());
        match state.as_str() {
            "denied" => assert!(denied && kind == "denied", "{source} {kind}"),
            // What follows a list that was denied has nothing to ask about.
            "complete" => assert!(!denied || follows(&source), "{source} is complete although its service is denied"),
            other => panic!("{source} is {other} ({kind})"),
        }
    }
    bed.heal();
    bed.fault(&json!({"kind": "throttle", "service": "guardduty", "operation": "GetDetector"}));
    let throttled = coverage(&bed).into_iter().find(|(source, ..)| source == "guardduty:GetDetector").unwrap();
    assert_eq!((throttled.1.as_str(), throttled.2.as_str()), ("failed", "throttled"));
}

/// Whether a source asks only about what another one listed.
fn follows(source: &str) -> bool {
    [
        "organizations:ListPoliciesForTarget",
        "organizations:DescribePolicy",
        "access-analyzer:ListFindingsV2",
        "access-analyzer:GetFindingV2",
        "guardduty:GetDetector",
        "guardduty:ListFindings",
        "guardduty:GetFindings",
        "guardduty:GetMalwareProtectionPlan",
        "macie2:GetFindings",
        "ram:GetResourceShares",
        "ram:ListPrincipals",
        "sagemaker:DescribeTrainingJob",
    ]
    .contains(&source)
}

#[test]
fn what_is_new_is_read_at_once() {
    // A job that somebody starts while we look; its tags have a round every five minutes.
    let bed = Bed::start(&["--seed", "orion", "--live", "--live-seconds", "1"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seen.case");
    let path = file.to_str().unwrap();
    let command = ["case", "record", path, "--for", "60", "--endpoint-url", &bed.url];
    let recorded = bedwatch(&command, &bed_env("ONCALLREADONLY"));
    assert!(recorded.status.success(), "{}", err(&recorded));
    let case: Value = serde_json::from_str(&out(&bedwatch(&["case", "export", path], &[]))).unwrap();
    let known = case["inventory"]["jobs"].as_object().unwrap();
    let updates = case["story"].as_array().unwrap().iter().flat_map(|step| step["updates"].as_array().unwrap());
    let (mut new, mut tagged) = (Vec::new(), Vec::new());
    for job in
        updates.flat_map(|update| ["Listed", "Read"].map(|how| update[how]["Job"].as_array())).flatten().flatten()
    {
        let arn = job["arn"].as_str().unwrap();
        if !known.contains_key(arn) {
            new.push(arn);
            tagged.extend((job["tags"]["state"] == "got").then_some(arn));
        }
    }
    assert!(!new.is_empty(), "no job began in a minute");
    assert!(new.iter().all(|arn| tagged.contains(arn)), "{new:?} {tagged:?}");
}
