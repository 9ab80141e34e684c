//! Whether anybody records who reads and changes the objects of a bucket: by data events of a trail, and by the
//! bucket's own access logs. What cannot be told is unknown, not "no".

use super::super::model::Model;
use crate::inventory::s3::Bucket;
use crate::inventory::trail::{Selector, Trail};
use crate::inventory::{Kind, Read, ResourceRef, SourceId};

/// How far the objects of a bucket are covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Wholly, by these trails.
    Yes(Vec<String>),
    /// In part: by which trail, and what is left out.
    Partly(String, &'static str),
    /// Not.
    No,
    /// It could not be seen; why.
    Unknown(String),
}

/// How far one trail or selector covers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    Whole,
    Part(&'static str),
}

/// What the trails that were read record of a bucket.
pub fn by_trails(model: &Model, bucket: &ResourceRef) -> Recorded {
    let inventory = &model.inventory;
    let region = inventory.buckets.get(&bucket.id).and_then(|held| held.region.last());
    let (mut whole, mut part, mut blind) = (Vec::new(), None, None);
    for trail in inventory.trails.values() {
        // why: data events are delivered by a trail of the bucket's own region, or of all.
        if !trail.multi_region && region.is_some_and(|region| *region != trail.home_region) {
            continue;
        }
        match covers(trail, bucket.id.as_str()) {
            Ok(Some(Cover::Whole)) => whole.push(trail.name.to_string()),
            Ok(Some(Cover::Part(what))) => part = part.or(Some((trail.name.to_string(), what))),
            Ok(None) => {}
            Err(why) => blind = blind.or(Some(why)),
        }
    }
    if let Err(gap) = inventory.coverage.complete(SourceId::TRAILS) {
        blind = blind.or(Some(gap.to_string()));
    }
    match (whole.is_empty(), part, blind) {
        (false, ..) => Recorded::Yes(whole),
        (true, Some((trail, what)), _) => Recorded::Partly(trail, what),
        (true, None, Some(why)) => Recorded::Unknown(why),
        (true, None, None) => Recorded::No,
    }
}

/// How far a trail records the objects of a bucket, if it does.
fn covers(trail: &Trail, bucket: &str) -> Result<Option<Cover>, String> {
    let selectors = trail.selectors.known().map_err(|why| format!("selectors of trail {}: {why}", trail.name))?;
    let best = selectors.iter().filter_map(|selector| selects(selector, bucket)).min();
    let Some(best) = best else { return Ok(None) };
    match &trail.status {
        Read::Got { value, .. } if value.logging => Ok(Some(best)),
        Read::Got { .. } => Ok(None),
        other => Err(other
            .error()
            .map_or_else(|| format!("status of trail {} was not read", trail.name), ToString::to_string)),
    }
}

/// How far a selector takes data events of a bucket's objects, if it does.
fn selects(selector: &Selector, bucket: &str) -> Option<Cover> {
    let all = format!("arn:aws:s3:::{bucket}/");
    let (mut data, mut objects, mut part) = (false, false, None);
    for field in &selector.fields {
        let mut words = field.as_str().splitn(3, ' ');
        let (Some(name), Some(how), Some(values)) = (words.next(), words.next(), words.next()) else { continue };
        let values: Vec<&str> = values.split(", ").collect();
        match (name, how) {
            ("eventCategory", "equals") => data = values.contains(&"Data"),
            ("resources.type", "equals") => objects = values.contains(&"AWS::S3::Object"),
            ("resources.ARN", "startsWith") => {
                // Partitions differ in the second part only.
                let tail = |arn: &str| arn.splitn(3, ':').nth(2).unwrap_or(arn).to_owned();
                if !values.iter().any(|value| tail(&all).starts_with(&tail(value))) {
                    if !values.iter().any(|value| tail(value).starts_with(&tail(&all))) {
                        return None;
                    }
                    part = Some("only some prefixes");
                }
            }
            ("readOnly", "equals") => {
                part = Some(if values.contains(&"true") { "writes are left out" } else { "reads are left out" });
            }
            _ => part = part.or(Some("not every event: the selector has more conditions")),
        }
    }
    (data && objects).then_some(part.map_or(Cover::Whole, Cover::Part))
}

/// The bucket's own access logs, in words.
pub fn by_access_logs(bucket: &Bucket) -> Option<bool> {
    bucket.logging.known().ok().map(Option::is_some)
}

/// Both in a word, for the table.
pub fn word(model: &Model, bucket: &Bucket) -> &'static str {
    let trails = by_trails(model, &ResourceRef::new(Kind::Bucket, &bucket.name));
    match (trails, by_access_logs(bucket)) {
        (Recorded::Yes(_), Some(true)) => "both",
        (Recorded::Yes(_), _) => "trail",
        (_, Some(true)) => "logs",
        (Recorded::Partly(..), _) => "partly",
        (Recorded::Unknown(_), _) | (_, None) => "?",
        (Recorded::No, Some(false)) => "no",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(fields: &[&str]) -> Selector {
        serde_json::from_value(serde_json::json!({ "name": "s", "fields": fields })).unwrap()
    }

    #[test]
    fn selectors_cover_buckets() {
        let data = ["eventCategory equals Data", "resources.type equals AWS::S3::Object"];
        let with = |more: &'static [&'static str]| selector(&[&data[..], more].concat());
        for (selector, wanted) in [
            (with(&[]), Some(Cover::Whole)),
            (with(&["resources.ARN startsWith arn:aws:s3"]), Some(Cover::Whole)),
            (with(&["resources.ARN startsWith arn:aws:s3:::x/, arn:aws:s3:::train/"]), Some(Cover::Whole)),
            (with(&["resources.ARN startsWith arn:aws:s3:::train/chat/"]), Some(Cover::Part("only some prefixes"))),
            (with(&["resources.ARN startsWith arn:aws:s3:::training/"]), None),
            (with(&["readOnly equals false"]), Some(Cover::Part("reads are left out"))),
            (
                with(&["resources.ARN notStartsWith arn:aws:s3:::tmp"]),
                Some(Cover::Part("not every event: the selector has more conditions")),
            ),
            (selector(&["eventCategory equals Management"]), None),
            (selector(&["eventCategory equals Data", "resources.type equals AWS::Lambda::Function"]), None),
        ] {
            assert_eq!(selects(&selector, "train"), wanted, "{selector:?}");
        }
    }
}
