//! Amazon Comprehend: a second opinion on personal data in a text. The text is sent to the service: only a session
//! that was made for it may ask (`scan --deep --comprehend`, `data scan --comprehend`).

use serde::Deserialize;
use serde_json::json;

use crate::aws::Session;
use crate::aws::small::Service;
use crate::base::Text;
use crate::content::opinion::{Entity, Label};
use crate::inventory::ReadError;

/// What the text is taken for. English and Spanish are all that the service knows of personal data; names of people
/// and numbers are found in other languages too, less surely.
const LANGUAGE: &str = "en";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contains {
    labels: Vec<RawLabel>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawLabel {
    name: String,
    score: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detect {
    entities: Vec<RawEntity>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawEntity {
    r#type: String,
    score: f64,
    begin_offset: usize,
    end_offset: usize,
}

/// `ContainsPiiEntities`: which kinds of personal data a text holds.
pub async fn contains(session: &Session, text: String) -> Result<Vec<Label>, ReadError> {
    let body = json!({"Text": text, "LanguageCode": LANGUAGE});
    let answer: Contains = session.small(Service::Comprehend).json("ContainsPiiEntities", body).await?;
    Ok(answer.labels.into_iter().map(|label| Label { kind: Text::new(label.name), score: label.score }).collect())
}

/// `DetectPiiEntities`: where in a text it lies. Offsets count characters.
pub async fn detect(session: &Session, text: String) -> Result<Vec<Entity>, ReadError> {
    let body = json!({"Text": text, "LanguageCode": LANGUAGE});
    let answer: Detect = session.small(Service::Comprehend).json("DetectPiiEntities", body).await?;
    let entity = |raw: RawEntity| Entity {
        kind: Text::new(raw.r#type),
        score: raw.score,
        begin: raw.begin_offset,
        end: raw.end_offset,
    };
    Ok(answer.entities.into_iter().map(entity).collect())
}
