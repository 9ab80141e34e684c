//! Lists of what stands around Bedrock: the organization, the services that watch, those that feed
//! and share. They are background; none is needed to know what else to read.

mod owes;
mod wanted;

use std::future::Future;

use super::lists::{LIST, list};
use super::reader::{Heard, Reader};
use crate::aws::read::{
    analyzer, bedrock_models, cloudtrail, cloudwatch, feeders, guardduty, last_use, logs, macie, organizations,
};
use crate::inventory::feeders::Function;
use crate::inventory::guardduty::Threat;
use crate::inventory::macie::SensitiveFinding;
use crate::inventory::{ErrorKind, Items, Read, ReadError, Setting, SourceId, SourceReport, Update};
pub(super) use owes::{batch, more};
pub(super) use wanted::Wanted;

type S = SourceId;

/// Reads a list to its end and reports.
pub(super) async fn read(source: S, reader: &Reader, wanted: Wanted) -> SourceReport {
    let session = &reader.session;
    match source {
        S::DATA_RETENTION => {
            setting(reader, source, bedrock_models::data_retention(session), Setting::DataRetention).await
        }
        S::ACCOUNT_PUBLIC_ACCESS => {
            setting(reader, source, feeders::account_public_access(session), Setting::PublicAccess).await
        }
        S::VPC_BLOCK => setting(reader, source, session.ec2().vpc_block(), Setting::VpcBlock).await,
        S::LOG_ACCOUNT_POLICIES => {
            setting(reader, source, logs::account_protection(session), Setting::LogProtection).await
        }
        S::ORGANIZATIONS => setting(reader, source, organizations::organization(session), Setting::Organization).await,
        S::ORGANIZATION_PATH if wanted.nothing => {
            setting(reader, source, async { Ok(Vec::new()) }, Setting::OrganizationPath).await
        }
        S::ORGANIZATION_PATH => setting(reader, source, organizations::path(session), Setting::OrganizationPath).await,
        S::BEDROCK_POLICY => {
            setting(reader, source, organizations::bedrock_policy(session), Setting::BedrockPolicy).await
        }
        S::MACIE => setting(reader, source, macie::session_status(session), Setting::Macie).await,
        S::MACIE_DISCOVERY => setting(reader, source, macie::discovery(session), Setting::MacieDiscovery).await,
        S::API_KEYS => list(reader, source, Items::ApiKey, last_use::api_keys(session)).await,
        S::FLOW_LOGS => list(reader, source, Items::FlowLog, session.ec2().flow_logs(&wanted.ids)).await,
        S::DHCP_OPTIONS => list(reader, source, Items::DhcpOptions, session.ec2().dhcp_options(&wanted.ids)).await,
        S::PREFIX_LISTS => list(reader, source, Items::PrefixList, session.ec2().prefix_lists(&wanted.ids)).await,
        S::CHANNELS => list(reader, source, Items::Channel, cloudtrail::channels(session)).await,
        S::ALARMS => list(reader, source, Items::Alarm, cloudwatch::alarms(session)).await,
        S::METRICS => list(reader, source, Items::Metric, cloudwatch::metrics(session, &wanted.ids)).await,
        S::ORGANIZATION_POLICIES => {
            let policies = organizations::policies(session, &wanted.ids);
            list(reader, source, Items::OrganizationPolicy, policies).await
        }
        S::ACCESS_ANALYZER => list(reader, source, Items::Analyzer, analyzer::analyzers(session)).await,
        S::ANALYZER_FINDINGS => {
            let findings = analyzer::findings(session, &wanted.ids, &wanted.among);
            list(reader, source, Items::AnalyzerFinding, findings).await
        }
        S::GUARDDUTY => list(reader, source, Items::Detector, guardduty::detectors(session)).await,
        S::THREATS => list(reader, source, Items::Threat, guardduty::threats(session, &wanted.ids)).await,
        S::THREAT_DETAILS => threats(reader, wanted).await,
        S::MALWARE_PLANS => list(reader, source, Items::MalwarePlan, guardduty::malware_plans(session)).await,
        S::MACIE_BUCKETS => list(reader, source, Items::MacieBucket, macie::buckets(session, &wanted.ids)).await,
        S::CLASSIFICATION_JOBS => list(reader, source, Items::ClassificationJob, macie::jobs(session)).await,
        S::SENSITIVE_FINDINGS => {
            list(reader, source, Items::SensitiveFinding, macie::findings(session, &wanted.ids)).await
        }
        S::SENSITIVE_DETAILS => sensitive(reader, wanted).await,
        S::RAM_RESOURCES => list(reader, source, Items::Share, feeders::shares(session)).await,
        S::SAGEMAKER => list(reader, source, Items::TrainingJob, feeders::training_jobs(session, &wanted.data)).await,
        S::FUNCTIONS => functions(reader, wanted).await,
        S::COLLECTION_POLICIES => {
            let policies = feeders::collection_policies(session, session.collections());
            list(reader, source, Items::CollectionPolicy, policies).await
        }
        // The order of reading names no other list; a source that is added without a reader says so.
        other => reader.report(
            other,
            Err(ReadError {
                operation: other.name().to_owned(),
                kind: ErrorKind::NotAsked,
                message: "this version has no reader for it".into(),
                at: reader.now(),
            }),
        ),
    }
}

fn setting<'a, T: Clone + Send + 'a>(
    reader: &'a Reader,
    source: S,
    read: impl Future<Output = Result<T, ReadError>> + Send + 'a,
    as_setting: fn(Read<T>) -> Setting,
) -> impl Future<Output = SourceReport> + Send + 'a {
    // why boxed: as in `lists::list`.
    let read = Box::pin(read);
    async move {
        let answer = reader.gate.call(source, LIST, read).await;
        let report = reader.report(source, answer.as_ref().map(|_| 1).map_err(Clone::clone));
        reader.tell(Heard::Update(Update::Setting(as_setting(Read::of(answer, reader.now()))))).await;
        report
    }
}

/// Fifty findings a call. One that is no longer there stays unread until the next list drops it.
async fn threats(reader: &Reader, wanted: Wanted) -> SourceReport {
    let source = S::THREAT_DETAILS;
    let (mut worked, mut failures) = (0, Vec::new());
    for (detector, ids) in wanted.groups {
        let read = guardduty::threat_details(&reader.session, &detector, &ids);
        let answer = reader.gate.call(source, LIST, Box::pin(read)).await;
        let at = reader.now();
        let threat = |id, detail| Threat { id, detector: detector.clone(), detail };
        let items: Vec<_> = match answer {
            Ok(found) => found.into_iter().map(|(id, detail)| threat(id, Read::got(detail, at))).collect(),
            Err(error) => {
                failures.push(error.clone());
                ids.into_iter().map(|id| threat(id, Read::failed(error.clone()))).collect()
            }
        };
        worked += items.iter().filter(|item| item.detail.known().is_ok()).count();
        reader.tell(Heard::Update(Update::Read(Items::Threat(items)))).await;
    }
    SourceReport::sum(source, reader.now(), worked, &failures)
}

async fn sensitive(reader: &Reader, wanted: Wanted) -> SourceReport {
    let source = S::SENSITIVE_DETAILS;
    if wanted.ids.is_empty() {
        return reader.report(source, Ok(0));
    }
    let read = macie::finding_details(&reader.session, &wanted.ids);
    let answer = reader.gate.call(source, LIST, Box::pin(read)).await;
    let (at, report) = (reader.now(), reader.report(source, answer.as_ref().map(Vec::len).map_err(Clone::clone)));
    let items: Vec<_> = match answer {
        Ok(found) => {
            found.into_iter().map(|(id, detail)| SensitiveFinding { id, detail: Read::got(detail, at) }).collect()
        }
        Err(error) => {
            let failed = |id| SensitiveFinding { id, detail: Read::failed(error.clone()) };
            wanted.ids.into_iter().map(failed).collect()
        }
    };
    reader.tell(Heard::Update(Update::Read(Items::SensitiveFinding(items)))).await;
    report
}

/// The functions that jobs name, one call each; there are few.
async fn functions(reader: &Reader, wanted: Wanted) -> SourceReport {
    let source = S::FUNCTIONS;
    let (mut items, mut failures) = (Vec::new(), Vec::new());
    for arn in wanted.ids {
        let answer = reader.gate.call(source, LIST, Box::pin(feeders::function(&reader.session, &arn))).await;
        failures.extend(answer.as_ref().err().cloned());
        let configuration = Read::of(answer, reader.now());
        items.push(Function { arn, policy: Read::NotAsked, configuration });
    }
    let worked = items.len() - failures.len();
    reader.tell(Heard::Update(Update::Listed(Items::Function(items)))).await;
    SourceReport::sum(source, reader.now(), worked, &failures)
}
