//! The index of a sharded model (`model.safetensors.index.json`) against the shards themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::Sink;
use super::header::Header;
use crate::content::json::{Broken, Cursor, Kind};
use crate::content::rules::{INDEX_BROKEN, SHARD_MISMATCH, SHARD_MISSING, SHARD_PATH};

/// An index: which tensor lies in which shard.
#[derive(Debug, Default)]
pub(super) struct Index {
    weight_map: BTreeMap<String, String>,
    total_size: Option<u64>,
}

/// Reads one.
pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Option<Index> {
    match parse(text) {
        Ok(index) if index.weight_map.is_empty() => {
            sink.add(&INDEX_BROKEN, "weight_map", "there is no weight_map");
            None
        }
        Ok(index) => Some(index),
        Err(broken) => {
            sink.at(&INDEX_BROKEN, Some(broken.at as u64), "", broken.what);
            None
        }
    }
}

fn parse(text: &str) -> Result<Index, Broken> {
    let mut cursor = Cursor::new(text);
    let mut index = Index::default();
    let (mut one, mut two) = (String::new(), String::new());
    cursor.object(|cursor, key| match key.raw {
        "weight_map" => cursor.object(|cursor, tensor| {
            let file = cursor.string()?;
            let name = tensor.text(&mut one).to_owned();
            if index.weight_map.insert(name, file.text(&mut two).to_owned()).is_some() {
                return Err(Broken { at: tensor.at, what: "a tensor stands twice in the weight_map" });
            }
            Ok(())
        }),
        "metadata" if cursor.kind()? == Kind::Object => cursor.object(|cursor, key| {
            if key.raw == "total_size" && cursor.kind()? == Kind::Number {
                // Some writers give a float.
                index.total_size = cursor.number()?.split('.').next().and_then(|text| text.parse().ok());
                return Ok(());
            }
            cursor.skip()
        }),
        _ => cursor.skip(),
    })?;
    cursor.end()?;
    Ok(index)
}

/// Compares an index with the files of its folder. `files` are all names there, `headers` those that could be read,
/// by path; `folder` is what their paths begin with.
pub(super) fn compare(
    index: &Index,
    files: &BTreeSet<String>,
    headers: &BTreeMap<String, Header>,
    folder: &str,
    sink: &mut Sink<'_>,
) {
    let headers: BTreeMap<&str, &Header> =
        headers.iter().filter_map(|(path, header)| Some((path.strip_prefix(folder)?, header))).collect();
    let shards: BTreeSet<&String> = index.weight_map.values().collect();
    let mut whole = true;
    for shard in &shards {
        let unsafe_path = shard.starts_with('/')
            || shard.contains('\\')
            || shard.contains(':')
            || shard.split('/').any(|part| part == "..");
        if unsafe_path {
            sink.add(&SHARD_PATH, "weight_map", shard);
        } else if !files.contains(*shard) {
            sink.add(&SHARD_MISSING, "weight_map", shard);
        }
        whole &= headers.contains_key(shard.as_str());
    }
    for (tensor, shard) in &index.weight_map {
        if headers.get(shard.as_str()).is_some_and(|header| !header.names.contains(tensor)) {
            sink.add(&SHARD_MISMATCH, tensor, format!("{shard} does not hold it"));
        }
    }
    for (shard, header) in headers.iter().filter(|(shard, _)| shards.iter().any(|named| named == *shard)) {
        let mut stray: Vec<&String> = header
            .names
            .iter()
            .filter(|tensor| index.weight_map.get(*tensor).is_none_or(|named| named != shard))
            .collect();
        stray.sort_unstable();
        for tensor in stray {
            sink.add(&SHARD_MISMATCH, tensor, format!("{shard} holds it, the index does not say so"));
        }
    }
    let sum = shards
        .iter()
        .filter_map(|shard| headers.get(shard.as_str()))
        .fold(0u64, |sum, header| sum.saturating_add(header.data));
    if let Some(total) = index.total_size.filter(|total| whole && *total != sum) {
        sink.add(&SHARD_MISMATCH, "metadata.total_size", format!("it says {total} bytes, the shards hold {sum}"));
    }
}
