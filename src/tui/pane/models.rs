//! Models: custom, received and imported, and where they are served.

use super::super::list::{Cell, Column, Subject, number, text};
use super::super::model::Model;
use super::super::page::Page;
use super::super::theme::Role;
use super::resource::{link_field, read_field, when};
use super::{age, name_or, standing};
use crate::base::ResourceId;
use crate::inventory::{Kind, Link, ResourceRef};

/// Columns.
pub const COLUMNS: &[Column] = &[
    text("MODEL", 16, 3, 0).at_least(12),
    text("TYPE", 8, 0, 3),
    text("SERVED", 14, 1, 0).at_least(13),
    text("KEY", 12, 1, 2),
    text("BASE", 12, 2, 4),
    number("AGE", 4, 3),
    text("!", 9, 0, 1),
];

/// All models, newest first.
pub fn subjects(model: &Model) -> Vec<Subject> {
    let inventory = &model.inventory;
    let mut all: Vec<_> = inventory
        .models
        .values()
        .map(|model| (model.created, ResourceRef::new(Kind::Model, &model.arn)))
        .chain(
            inventory
                .imported_models
                .values()
                .map(|model| (model.created, ResourceRef::new(Kind::ImportedModel, &model.arn))),
        )
        .collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    all.into_iter().map(|(_, model)| Subject::Resource(model)).collect()
}

/// Deployments and throughputs that serve a model.
fn served(model: &Model, of: &ResourceRef) -> Vec<ResourceRef> {
    let down = model.lineage.down(of).iter();
    down.filter(|(link, _)| *link == Link::ServedBy).map(|(_, by)| by.clone()).collect()
}

fn served_words(by: &[ResourceRef]) -> String {
    let count = |kind| by.iter().filter(|by| by.kind == kind).count();
    let (deployed, provisioned) = (count(Kind::Deployment), count(Kind::Throughput));
    let mut words = Vec::new();
    if deployed > 0 {
        words.push(format!("{deployed} depl"));
    }
    if provisioned > 0 {
        words.push(format!("{provisioned} prov"));
    }
    words.join(", ")
}

/// One row.
pub fn cells(model: &Model, subject: &Subject) -> Option<Vec<Cell>> {
    let Subject::Resource(of) = subject else { return None };
    let unknown = || Cell::of("?", Role::Unknown);
    let by = served(model, of);
    let served = match (of.kind, by.is_empty()) {
        (Kind::ImportedModel, _) => Cell::new("on demand"),
        (_, true) => Cell::of("-", Role::Dim),
        (_, false) => Cell::new(served_words(&by)),
    };
    let key_cell = |known: bool, key: Option<&ResourceId>| {
        if known { name_or(model, Kind::Key, key, "AWS owned") } else { unknown() }
    };
    Some(match of.kind {
        Kind::Model => {
            let custom = model.inventory.models.get(&of.id)?;
            let detail = custom.detail.last();
            vec![
                Cell::new(custom.name.as_str()),
                if custom.owned { Cell::of("custom", Role::Dim) } else { Cell::of("received", Role::Medium) },
                served,
                key_cell(detail.is_some(), detail.and_then(|detail| detail.kms_key.as_ref())),
                if custom.base_model_name.is_empty() {
                    Cell::of("-", Role::Dim)
                } else {
                    Cell::of(custom.base_model_name.as_str(), Role::Dim)
                },
                age(model, custom.created),
                standing::whole(model, of),
            ]
        }
        Kind::ImportedModel => {
            let imported = model.inventory.imported_models.get(&of.id)?;
            let detail = imported.detail.last();
            vec![
                Cell::new(imported.name.as_str()),
                Cell::of("imported", Role::Dim),
                served,
                key_cell(detail.is_some(), detail.and_then(|detail| detail.kms_key.as_ref())),
                Cell::of(imported.architecture.as_str(), Role::Dim),
                age(model, imported.created),
                standing::whole(model, of),
            ]
        }
        _ => return None,
    })
}

/// What is particular to a model.
pub fn detail(model: &Model, of: &ResourceRef, page: &mut Page) {
    match of.kind {
        Kind::Model => {
            let Some(custom) = model.inventory.models.get(&of.id) else { return };
            page.state = Some((
                Role::Dim,
                if custom.owned { "custom".into() } else { format!("received from {}", custom.owner) },
            ));
            page.field("status", Role::Text, custom.status.as_str());
            let base = Some(&custom.base_model).filter(|base| !base.as_str().is_empty());
            link_field(model, page, "base", Kind::FoundationModel, base, "none: it was created, not customized here");
            serving(model, of, page);
            match custom.detail.last() {
                Some(detail) => {
                    link_field(
                        model,
                        page,
                        "key",
                        Kind::Key,
                        detail.kms_key.as_ref(),
                        "a key that AWS owns: nobody else controls it",
                    );
                    link_field(model, page, "made by", Kind::Job, detail.job.as_ref(), "not known");
                    if let Some(uri) = &detail.training {
                        page.field("trained on", Role::Text, uri.to_string());
                    }
                    if let Some(loss) = detail.training_loss {
                        page.field("last loss", Role::Text, format!("training {loss:.3}"));
                    }
                }
                None => read_field(page, "detail", &custom.detail, |_| (Role::Text, String::new())),
            }
            read_field(page, "shared by", &custom.policy, |policy| match policy {
                Some(_) => (Role::Medium, "a resource policy: see below".into()),
                None => (Role::Ok, "no resource policy".into()),
            });
            page.field("created", Role::Dim, when(model, custom.created));
        }
        Kind::ImportedModel => {
            let Some(imported) = model.inventory.imported_models.get(&of.id) else { return };
            page.state = Some((Role::Dim, "imported".into()));
            page.field("architecture", Role::Text, imported.architecture.as_str());
            match imported.detail.last() {
                Some(detail) => {
                    link_field(model, page, "key", Kind::Key, detail.kms_key.as_ref(), "a key that AWS owns");
                    link_field(model, page, "made by", Kind::ImportJob, detail.job.as_ref(), "not known");
                    if let Some(uri) = &detail.data {
                        page.field("weights", Role::Text, uri.to_string());
                    }
                }
                None => read_field(page, "detail", &imported.detail, |_| (Role::Text, String::new())),
            }
            page.field("created", Role::Dim, when(model, imported.created));
        }
        _ => {}
    }
    page.field("id", Role::Dim, of.id.as_str());
}

fn serving(model: &Model, of: &ResourceRef, page: &mut Page) {
    let by = served(model, of);
    if by.is_empty() {
        page.field("served by", Role::Dim, "nothing: it cannot be invoked");
    }
    for (at, by) in by.iter().enumerate() {
        link_field(model, page, if at == 0 { "served by" } else { "" }, by.kind, Some(&by.id), "-");
    }
}
