//! The header of a safetensors file (format of the safetensors crate 0.6): length, JSON, and offsets that must
//! cover the data exactly. Read by range: the tensors themselves are never read.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use super::Sink;
use crate::content::bytes::{ByteSource, exactly, up_to};
use crate::content::json::{Broken, Cursor, Kind};
use crate::content::rules::{
    HEADER_JSON, HEADER_KEY_TWICE, HEADER_LENGTH, METADATA_TYPE, NOT_SAFETENSORS, PRECISION, TENSOR_DTYPE, TENSOR_HOLE,
    TENSOR_OVERLAP, TENSOR_SIZE, TRAILING, TRUNCATED,
};

/// The longest header that the reference implementation takes.
pub(super) const MAX_HEADER: u64 = 100_000_000;

/// Bits of one element.
static DTYPES: &[(&str, u64)] = &[
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

/// What a header says.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Bytes of data that the tensors cover.
    pub data: u64,
    /// Names of all tensors.
    pub names: HashSet<String>,
}

struct Tensor<'a> {
    name: &'a str,
    begin: u64,
    end: u64,
}

/// Verifies a file; none if its header cannot be used.
pub(super) fn verify(source: &dyn ByteSource, sink: &mut Sink<'_>) -> std::io::Result<Option<Header>> {
    let size = source.size();
    let head = up_to(source, 0, 9)?;
    let Some(length) = head.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)) else {
        sink.at(&NOT_SAFETENSORS, Some(0), "", format!("the file has {size} bytes; a header length alone has 8"));
        return Ok(None);
    };
    if !(2..=MAX_HEADER).contains(&length) {
        sink.at(
            &HEADER_LENGTH,
            Some(0),
            "",
            format!("the header claims {length} bytes; 2 to {MAX_HEADER} are possible"),
        );
        return Ok(None);
    }
    if length > size - 8 {
        sink.at(&TRUNCATED, Some(size), "", format!("the header claims {length} bytes, {} follow", size - 8));
        return Ok(None);
    }
    if head.get(8) != Some(&b'{') {
        sink.at(&HEADER_JSON, Some(8), "", "the header does not begin with '{'");
        return Ok(None);
    }
    let bytes = exactly(source, 8, length as usize)?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            sink.at(&HEADER_JSON, Some(8 + error.valid_up_to() as u64), "", "the header is not UTF-8");
            return Ok(None);
        }
    };
    match tensors(text, sink) {
        Ok(tensors) => Ok(Some(layout(tensors, size - 8 - length, 8 + length, sink))),
        Err(broken) => {
            sink.at(&HEADER_JSON, Some(8 + broken.at as u64), "", broken.what);
            Ok(None)
        }
    }
}

fn tensors<'a>(text: &'a str, sink: &mut Sink<'_>) -> Result<Vec<Tensor<'a>>, Broken> {
    let mut cursor = Cursor::new(text);
    let mut names = HashSet::new();
    let mut tensors = Vec::new();
    let mut precisions: HashMap<&'a str, u64> = HashMap::new();
    cursor.object(|cursor, key| {
        if !names.insert(key.raw) {
            sink.at(
                &HEADER_KEY_TWICE,
                Some(8 + key.at as u64),
                key.raw,
                "two tensors have this name: readers differ on which counts",
            );
        }
        if key.raw == "__metadata__" {
            return metadata(cursor, sink);
        }
        if let Some((tensor, dtype)) = tensor(cursor, key.raw, key.at, sink)? {
            *precisions.entry(dtype).or_default() += 1;
            tensors.push(tensor);
        }
        Ok(())
    })?;
    cursor.end()?;
    let mut others: Vec<_> =
        precisions.iter().filter(|(dtype, _)| !matches!(**dtype, "F32" | "F16" | "BF16")).collect();
    others.sort_unstable();
    for (dtype, count) in others {
        sink.add(&PRECISION, "", format!("{count} tensors are {dtype}"));
    }
    Ok(tensors)
}

fn metadata(cursor: &mut Cursor<'_>, sink: &mut Sink<'_>) -> Result<(), Broken> {
    let at = 8 + cursor.at() as u64;
    if cursor.kind()? != Kind::Object {
        sink.at(&METADATA_TYPE, Some(at), "__metadata__", "it is no object");
        return cursor.skip();
    }
    let mut seen = HashSet::new();
    cursor.object(|cursor, key| {
        if !seen.insert(key.raw) {
            sink.at(&HEADER_KEY_TWICE, Some(8 + key.at as u64), "__metadata__", "a key stands twice");
        }
        let kind = cursor.kind()?;
        if kind != Kind::String {
            sink.at(
                &METADATA_TYPE,
                Some(8 + cursor.at() as u64),
                "__metadata__",
                format!("a value is {}", kind.word()),
            );
        }
        cursor.skip()
    })
}

fn tensor<'a>(
    cursor: &mut Cursor<'a>,
    name: &'a str,
    at: usize,
    sink: &mut Sink<'_>,
) -> Result<Option<(Tensor<'a>, &'a str)>, Broken> {
    let (mut dtype, mut elements, mut offsets) = (None, None, None);
    cursor.object(|cursor, key| {
        let twice = match key.raw {
            "dtype" => dtype.replace(cursor.string()?.raw).is_some(),
            "shape" => {
                let mut product = Some(1u64);
                cursor.array(|cursor, _| {
                    let side = cursor.count()?;
                    product = product.and_then(|product| product.checked_mul(side));
                    Ok(())
                })?;
                elements.replace(product).is_some()
            }
            "data_offsets" => {
                let mut both = [0; 2];
                let mut count = 0;
                cursor.array(|cursor, n| {
                    let value = cursor.count()?;
                    count = n + 1;
                    if let Some(place) = both.get_mut(n) {
                        *place = value;
                    }
                    Ok(())
                })?;
                if count != 2 {
                    return Err(Broken { at: cursor.at(), what: "data_offsets are not two numbers" });
                }
                offsets.replace(both).is_some()
            }
            _ => {
                return Err(Broken { at: key.at, what: "a tensor has a key that is not dtype, shape or data_offsets" });
            }
        };
        if twice { Err(Broken { at: key.at, what: "a tensor has a key twice" }) } else { Ok(()) }
    })?;
    let (Some(dtype), Some(elements), Some([begin, end])) = (dtype, elements, offsets) else {
        return Err(Broken { at, what: "a tensor lacks dtype, shape or data_offsets" });
    };
    let place = Some(8 + at as u64);
    let Some((_, bits)) = DTYPES.iter().find(|(known, _)| *known == dtype) else {
        sink.at(&TENSOR_DTYPE, place, name, "its dtype is none of the format's");
        return Ok(None);
    };
    let wanted = elements
        .and_then(|elements| elements.checked_mul(*bits))
        .filter(|bits| bits.is_multiple_of(8))
        .map(|bits| bits / 8);
    if end < begin || wanted != Some(end - begin) {
        let wanted = wanted.map_or("no possible number of".to_owned(), |wanted| wanted.to_string());
        sink.at(
            &TENSOR_SIZE,
            place,
            name,
            format!("type and shape need {wanted} bytes, the offsets are {begin} to {end}"),
        );
    }
    Ok(Some((Tensor { name, begin, end: end.max(begin) }, dtype)))
}

/// Tensors in the order of their data must follow one another without hole or overlap, to the end of the file.
fn layout(mut tensors: Vec<Tensor<'_>>, data: u64, base: u64, sink: &mut Sink<'_>) -> Header {
    tensors.sort_by_key(|tensor| (tensor.begin, tensor.end));
    let mut covered = 0u64;
    for tensor in &tensors {
        let place = Some(base.saturating_add(tensor.begin));
        match tensor.begin.cmp(&covered) {
            Ordering::Greater => {
                let hole = format!("{} bytes before it belong to no tensor", tensor.begin - covered);
                sink.at(&TENSOR_HOLE, place, tensor.name, hole);
            }
            Ordering::Less => {
                let shared = covered.min(tensor.end) - tensor.begin;
                sink.at(
                    &TENSOR_OVERLAP,
                    place,
                    tensor.name,
                    format!("it shares {shared} bytes with tensors before it"),
                );
            }
            Ordering::Equal => {}
        }
        covered = covered.max(tensor.end);
    }
    match covered.cmp(&data) {
        Ordering::Greater => {
            let needed = format!("the tensors need {covered} bytes, {data} are there");
            sink.at(&TRUNCATED, Some(base + data), "", needed);
        }
        Ordering::Less => {
            sink.at(&TRAILING, Some(base + covered), "", format!("{} bytes follow the last tensor", data - covered));
        }
        Ordering::Equal => {}
    }
    Header { data: covered, names: tensors.iter().map(|tensor| tensor.name.to_owned()).collect() }
}
