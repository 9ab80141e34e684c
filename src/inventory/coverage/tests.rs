//! Sources: their names, waves and states.

use super::*;

#[test]
fn every_source_has_one_name() {
    let mut names: Vec<_> = SOURCES.iter().map(|source| source.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), SOURCES.len());
    assert_eq!(SourceId::GRANTS.name(), "kms:ListGrants");
    assert_eq!(SourceId::ALARMS.name(), "cloudwatch:DescribeAlarms");
    assert_eq!(SourceId::BUCKETS.actions(), ["s3:ListAllMyBuckets"]);
}
#[test]
fn a_complete_source_goes_stale() {
    let mut coverage = Coverage::default();
    let at = Timestamp::from_secs(1000);
    assert_eq!(coverage.state(SourceId::JOBS, at), SourceState::NotAsked);
    assert!(coverage.record(SourceReport::sum(SourceId::JOBS, at, 3, &[])));
    assert!(!coverage.record(SourceReport::sum(SourceId::JOBS, at.plus_secs(5), 3, &[])));
    assert_eq!(coverage.state(SourceId::JOBS, at.plus_secs(60)), SourceState::Complete);
    assert_eq!(coverage.state(SourceId::JOBS, at.plus_secs(600)), SourceState::Stale);
    assert!(coverage.complete(SourceId::GRANTS).is_err());
}

#[test]
fn when_it_was_complete_is_remembered_while_it_fails() {
    let at = Timestamp::from_secs;
    let error =
        ReadError { operation: "kms:ListGrants".into(), kind: ErrorKind::Network, message: "no".into(), at: at(9) };
    let failed = |secs| SourceReport::sum(SourceId::GRANTS, at(secs), 0, std::slice::from_ref(&error));
    let mut coverage = Coverage::default();
    coverage.record(failed(1));
    assert!(!coverage.is_behind(), "it never was complete");
    coverage.record(SourceReport::sum(SourceId::GRANTS, at(2), 3, &[]));
    coverage.record(failed(3));
    coverage.record(failed(4));
    assert_eq!(coverage.report(SourceId::GRANTS).unwrap().complete_at, Some(at(2)));
    assert_eq!((coverage.is_behind(), coverage.newest()), (true, Some(at(2))));
    let mut recalled = coverage.clone();
    recalled.recall();
    assert!(recalled.complete(SourceId::GRANTS).is_ok() && !recalled.is_behind());
    coverage.record(SourceReport::sum(SourceId::GRANTS, at(5), 3, &[]));
    assert!(!coverage.is_behind());
    assert!(coverage.lose(&error) && !coverage.lose(&error));
    assert_eq!(coverage.report(SourceId::GRANTS).unwrap().complete_at, Some(at(5)));
}
