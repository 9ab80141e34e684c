//! Jobs: customization, import, copy, evaluation and batch.

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::{Model, Place};
use super::super::page::{Page, Target};
use super::super::theme::Role;
use super::resource::{link_field, read_field, when};
use super::{age, name_or, standing};
use crate::base::time::span;
use crate::base::{ResourceId, Timestamp};
use crate::inventory::bedrock::{JobDetail, JobStatus, Phase, S3Uri, VpcConfig};
use crate::inventory::{Kind, ResourceRef};
use crate::posture::Verdict;

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("JOB", 16, 3, 0).at_least(13),
    text("STATUS", 11, 0, 0),
    text("KIND", 12, 0, 3),
    text("KEY", 12, 1, 2),
    text("ROLE", 12, 1, 5),
    number("TOOK", 4, 4),
    number("AGE", 4, 2),
    text("!", 9, 0, 1),
];

struct Job<'a> {
    name: String,
    kind: String,
    status: &'a JobStatus,
    key: Option<&'a ResourceId>,
    key_known: bool,
    role: Option<&'a ResourceId>,
    created: Timestamp,
    ended: Option<Timestamp>,
}

fn job<'a>(model: &'a Model, of: &ResourceRef) -> Option<Job<'a>> {
    let inventory = &model.inventory;
    Some(match of.kind {
        Kind::Job => {
            let job = inventory.jobs.get(&of.id)?;
            let detail = job.detail.last();
            Job {
                name: job.name.to_string(),
                kind: kind_word(job.customization.as_str()),
                status: &job.status,
                key: detail.and_then(|detail| detail.kms_key.as_ref()),
                key_known: detail.is_some(),
                role: detail.map(|detail| &detail.role),
                created: job.created,
                ended: job.ended,
            }
        }
        Kind::ImportJob => {
            let job = inventory.import_jobs.get(&of.id)?;
            let detail = job.detail.last();
            Job {
                name: job.name.to_string(),
                kind: "import".into(),
                status: &job.status,
                key: detail.and_then(|detail| detail.kms_key.as_ref()),
                key_known: detail.is_some(),
                role: detail.map(|detail| &detail.role),
                created: job.created,
                ended: job.ended,
            }
        }
        Kind::CopyJob => {
            let job = inventory.copy_jobs.get(&of.id)?;
            Job {
                name: format!("→ {}", job.target_name),
                kind: "copy".into(),
                status: &job.status,
                key: job.target_key.as_ref(),
                key_known: true,
                role: None,
                created: job.created,
                ended: None,
            }
        }
        Kind::EvaluationJob => {
            let job = inventory.evaluation_jobs.get(&of.id)?;
            let detail = job.detail.last();
            Job {
                name: job.name.to_string(),
                kind: "evaluation".into(),
                status: &job.status,
                key: detail.and_then(|detail| detail.kms_key.as_ref()),
                key_known: detail.is_some(),
                role: detail.map(|detail| &detail.role),
                created: job.created,
                ended: None,
            }
        }
        Kind::BatchJob => {
            let job = inventory.batch_jobs.get(&of.id)?;
            Job {
                name: job.name.to_string(),
                kind: "batch".into(),
                status: &job.status,
                key: job.output_key.as_ref(),
                key_known: true,
                role: Some(&job.role),
                created: job.created,
                ended: None,
            }
        }
        _ => return None,
    })
}

/// `FINE_TUNING` → `fine-tuning`.
fn kind_word(word: &str) -> String {
    match word {
        "" => "custom".into(),
        "CONTINUED_PRE_TRAINING" => "pre-train".into(),
        word => word.to_lowercase().replace('_', "-"),
    }
}

fn status_role(status: &JobStatus) -> Role {
    match status {
        JobStatus::Completed => Role::Ok,
        JobStatus::Failed => Role::High,
        JobStatus::InProgress | JobStatus::Stopping => Role::Accent,
        JobStatus::Stopped | JobStatus::Other(_) => Role::Dim,
    }
}

/// All jobs, newest first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let inventory = &model.inventory;
    let of = |kind, id: &ResourceId, at| (at, ResourceRef::new(kind, id));
    let mut all: Vec<(Timestamp, ResourceRef)> = inventory
        .jobs
        .values()
        .map(|job| of(Kind::Job, &job.arn, job.created))
        .chain(inventory.import_jobs.values().map(|job| of(Kind::ImportJob, &job.arn, job.created)))
        .chain(inventory.copy_jobs.values().map(|job| of(Kind::CopyJob, &job.arn, job.created)))
        .chain(inventory.evaluation_jobs.values().map(|job| of(Kind::EvaluationJob, &job.arn, job.created)))
        .chain(inventory.batch_jobs.values().map(|job| of(Kind::BatchJob, &job.arn, job.created)))
        .collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    all.into_iter().map(|(_, job)| Subject::Resource(job)).collect()
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let job = job(model, of)?;
    let took = match (job.ended, job.status.is_running()) {
        (Some(ended), _) => {
            let secs = ended.secs_since(job.created);
            Cell::new(span(secs)).by(secs)
        }
        (None, true) => age(model, job.created),
        (None, false) => Cell::of("-", Role::Dim),
    };
    Some(vec![
        Cell::new(job.name),
        Cell::of(job.status.word(), status_role(job.status)),
        Cell::of(job.kind, Role::Dim),
        if job.key_known { name_or(model, Kind::Key, job.key, "AWS owned") } else { Cell::of("?", Role::Unknown) },
        name_or(model, Kind::Role, job.role, "-"),
        took,
        age(model, job.created),
        standing::whole(model, of),
    ])
}

/// What is particular to a job.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    let Some(job) = job(model, of) else { return };
    let since = model.now.secs_since(job.ended.unwrap_or(job.created));
    let word = job.status.word();
    let state = if job.ended.is_some() {
        format!("{word} {} ago", span(since))
    } else {
        format!("{word}, begun {} ago", span(since))
    };
    page.state = Some((status_role(job.status), state));
    page.field("kind", Role::Text, &job.kind);
    let inventory = &model.inventory;
    match of.kind {
        Kind::Job => {
            let Some(job) = inventory.jobs.get(&of.id) else { return };
            link_field(model, page, "base", Kind::FoundationModel, Some(&job.base_model), "-");
            match job.detail.last() {
                Some(detail) => {
                    phases(
                        model,
                        page,
                        &[
                            ("validation", detail.phases.validation.as_ref()),
                            ("data", detail.phases.data_processing.as_ref()),
                            ("training", detail.phases.training.as_ref()),
                        ],
                    );
                    cause(model, of, page, detail.failure.as_ref());
                    link_field(model, page, "role", Kind::Role, Some(&detail.role), "-");
                    link_field(
                        model,
                        page,
                        "key",
                        Kind::Key,
                        detail.kms_key.as_ref(),
                        "a key that AWS owns: nobody else controls it",
                    );
                    network(model, page, detail.vpc.as_ref());
                    uris(page, "training", &detail.training);
                    uris(page, "validation", &detail.validation);
                    uris(page, "output", detail.output.as_slice());
                    losses(page, detail);
                    if !detail.hyper_parameters.is_empty() {
                        let all: Vec<_> =
                            detail.hyper_parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
                        page.field("parameters", Role::Dim, all.join(", "));
                    }
                }
                None => read_field(page, "detail", &job.detail, |_| (Role::Text, String::new())),
            }
            match &job.output_model {
                Some(made) => link_field(model, page, "made", Kind::Model, Some(made), "-"),
                None => page.field("makes", Role::Dim, makes(job.output_model_name.as_str(), &job.status)),
            }
        }
        Kind::ImportJob => {
            let Some(job) = inventory.import_jobs.get(&of.id) else { return };
            match job.detail.last() {
                Some(detail) => {
                    cause(model, of, page, detail.failure.as_ref());
                    link_field(model, page, "role", Kind::Role, Some(&detail.role), "-");
                    link_field(model, page, "key", Kind::Key, detail.kms_key.as_ref(), "a key that AWS owns");
                    network(model, page, detail.vpc.as_ref());
                    uris(page, "weights", detail.data.as_slice());
                }
                None => read_field(page, "detail", &job.detail, |_| (Role::Text, String::new())),
            }
            match &job.imported_model {
                Some(made) => link_field(model, page, "made", Kind::ImportedModel, Some(made), "-"),
                None => page.field("makes", Role::Dim, makes(job.imported_model_name.as_str(), &job.status)),
            }
        }
        Kind::CopyJob => {
            let Some(job) = inventory.copy_jobs.get(&of.id) else { return };
            cause(model, of, page, job.failure.as_ref());
            link_field(model, page, "from", Kind::Model, Some(&job.source_model), "-");
            page.field("account", Role::Text, job.source_account.as_str());
            if matches!(job.status, JobStatus::Failed | JobStatus::Stopped) {
                page.field("to", Role::Dim, makes(job.target_name.as_str(), &job.status));
            } else {
                link_field(model, page, "to", Kind::Model, Some(&job.target_model), "-");
            }
            link_field(model, page, "key", Kind::Key, job.target_key.as_ref(), "a key that AWS owns");
        }
        Kind::EvaluationJob => {
            let Some(job) = inventory.evaluation_jobs.get(&of.id) else { return };
            if let Some(detail) = job.detail.last() {
                link_field(model, page, "role", Kind::Role, Some(&detail.role), "-");
                link_field(model, page, "key", Kind::Key, detail.kms_key.as_ref(), "a key that AWS owns");
                uris(page, "output", detail.output.as_slice());
            }
        }
        Kind::BatchJob => {
            let Some(job) = inventory.batch_jobs.get(&of.id) else { return };
            page.field("model", Role::Text, job.model.as_str());
            link_field(model, page, "role", Kind::Role, Some(&job.role), "-");
            link_field(model, page, "key", Kind::Key, job.output_key.as_ref(), "the bucket's own encryption");
            uris(page, "input", job.input.as_slice());
            uris(page, "output", job.output.as_slice());
        }
        _ => {}
    }
    page.field("created", Role::Dim, when(model, job.created));
    page.field("id", Role::Dim, of.id.as_str());
}

fn phases(model: &Model, page: &mut Page, all: &[(&str, Option<&Phase>)]) {
    let mut spans = vec![(Role::Dim, format!("{:<12}", "phases"))];
    for (name, phase) in all {
        let Some(phase) = phase else { continue };
        let mark = match phase.status {
            JobStatus::Completed => "✓",
            JobStatus::Failed | JobStatus::Stopped => "✗",
            JobStatus::InProgress | JobStatus::Stopping => "…",
            JobStatus::Other(_) => "·",
        };
        let end = if phase.status.is_running() { Some(model.now) } else { phase.changed };
        let took =
            phase.started.zip(end).map(|(from, to)| format!(" {}", span(to.secs_since(from)))).unwrap_or_default();
        spans.push((Role::Text, format!("{name} ")));
        spans.push((status_role(&phase.status), format!("{mark}{took}   ")));
    }
    if spans.len() > 1 {
        page.line(spans);
    }
}

/// The failure message, and the finding that speaks of the same.
fn cause(model: &Model, of: &ResourceRef, page: &mut Page, failure: Option<&crate::base::Text>) {
    let Some(failure) = failure else { return };
    page.field("cause", Role::High, failure.as_str());
    let near = model.lineage.down(of).iter().flat_map(|(_, other)| model.judged.of(&model.assessment, &other.id));
    let all = model.judged.of(&model.assessment, &of.id).into_iter().chain(near);
    let told = all.filter_map(|verdict| Some((explains(failure.as_str(), verdict)?, verdict)));
    if let Some((_, verdict)) = told.min_by_key(|(rank, _)| *rank) {
        page.field_to(
            "likely",
            Role::Accent,
            verdict.reason.as_str(),
            Some(Target::Go(Place::Finding(verdict.id.clone()))),
        );
    }
}

/// How well a finding explains a failure, the best first: it speaks of an action that the message names, and best of
/// all also of a resource in it. why not the worst finding there is: a job has many, and most did not break it.
fn explains(failure: &str, verdict: &Verdict) -> Option<u8> {
    let mut words = failure.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | ',' | ';'));
    let is_action = |word: &str| {
        let (service, name) = word.split_once(':').unwrap_or_default();
        let lower =
            !service.is_empty() && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        lower && name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let says = |action: &str| {
        let facts = verdict.evidence.iter().map(|fact| fact.value.as_str());
        std::iter::once(verdict.reason.as_str()).chain(facts).any(|text| text.contains(action))
    };
    words
        .any(|word| {
            let word = word.trim_end_matches('.');
            is_action(word) && says(word)
        })
        .then(|| u8::from(!failure.contains(verdict.resource.id.as_str())))
}

fn network(model: &Model, page: &mut Page, vpc: Option<&VpcConfig>) {
    let Some(vpc) = vpc else {
        page.field("network", Role::Dim, "Bedrock's own, not a VPC of yours");
        return;
    };
    for (at, subnet) in vpc.subnets.iter().enumerate() {
        link_field(model, page, if at == 0 { "subnets" } else { "" }, Kind::Subnet, Some(subnet), "-");
    }
    for (at, group) in vpc.security_groups.iter().enumerate() {
        link_field(model, page, if at == 0 { "groups" } else { "" }, Kind::SecurityGroup, Some(group), "-");
    }
}

fn uris(page: &mut Page, label: &str, uris: &[S3Uri]) {
    for (at, uri) in uris.iter().enumerate() {
        let bucket = ResourceRef::new(Kind::Bucket, &uri.bucket);
        let target = Some(Target::Go(Place::Resource(bucket)));
        page.field_to(if at == 0 { label } else { "" }, Role::Accent, uri.to_string(), target);
    }
}

/// What becomes of the model of a job that has made none.
fn makes(name: &str, status: &JobStatus) -> String {
    match status {
        JobStatus::Failed => format!("nothing: the job failed before it made {name}"),
        JobStatus::Stopped | JobStatus::Stopping => format!("nothing: the job was stopped before it made {name}"),
        JobStatus::Completed => format!("{name}, of which AWS gives no ARN"),
        JobStatus::InProgress | JobStatus::Other(_) => format!("{name}, when it is done"),
    }
}

/// The losses that the job reports. They are its last ones: AWS keeps the curve in files below the output, and
/// objects are not read.
fn losses(page: &mut Page, detail: &JobDetail) {
    let training = detail.training_loss.map(|loss| format!("training {loss:.3}"));
    let several = detail.validation_losses.len() > 1;
    let validation = detail.validation_losses.iter().enumerate().map(|(at, loss)| {
        if several { format!("validation {} {loss:.3}", at + 1) } else { format!("validation {loss:.3}") }
    });
    let all: Vec<String> = training.into_iter().chain(validation).collect();
    if all.is_empty() {
        return;
    }
    page.field("last loss", Role::Text, all.join("   "));
    if let Some(output) = &detail.output {
        page.field("loss curve", Role::Dim, format!("in the metrics files below {output}: objects are not read"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::fixture::full;

    #[test]
    fn only_what_speaks_of_the_same_action_explains_a_failure() {
        let driver = full(80, 24);
        let verdict = |reason: &str| {
            let mut verdict = driver.model.assessment.verdicts[0].clone();
            (verdict.reason, verdict.evidence) = (reason.into(), Vec::new());
            verdict
        };
        let lacks = verdict("OrionTuner customizes with key k but lacks kms:CreateGrant: jobs will be denied");
        let key = lacks.resource.id.clone();
        for (failure, reason, rank) in [
            ("not authorized to perform: kms:CreateGrant on resource: X because no policy allows it", &lacks, Some(1)),
            (&*format!("not authorized to perform: kms:CreateGrant on resource: {key}"), &lacks, Some(0)),
            ("User: arn:aws:sts::1:assumed-role/R/s may not kms:CreateGrant.", &lacks, Some(1)),
            ("not authorized to perform: kms:CreateGrant", &verdict("bucket b keeps no versions"), None),
            ("training data is not valid JSON at line 3", &lacks, None),
            ("User: arn:aws:iam::1:role/R is unknown", &verdict("arn:aws:iam::1:role/R"), None),
        ] {
            assert_eq!(explains(failure, reason), rank, "{failure}");
        }
    }
}
