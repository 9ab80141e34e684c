//! What a file is, by its first bytes and by its name. Bytes decide; a name only accuses.

use serde::Serialize;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tensors and nothing else.
    Safetensors,
    /// A pickle.
    Pickle,
    /// A ZIP archive; PyTorch files are those.
    Zip,
    /// Another archive or compressed file.
    Archive,
    /// A program or library of the machine.
    Executable,
    /// Source code, a notebook, bytecode.
    Code,
    /// Weights in another format.
    Weights,
    /// Settings in JSON.
    Json,
    /// A chat template.
    Template,
    /// Anything else: texts, licences, vocabularies.
    Other,
}

const CODE: &[&str] = &[
    "py", "pyc", "pyo", "pyd", "pyw", "so", "dll", "dylib", "sh", "bash", "bat", "cmd", "ps1", "ipynb", "jar", "class",
    "js", "mjs", "rb", "pl", "php", "lua", "exe", "com", "scr", "vbs", "wasm", "c", "cc", "cpp", "cu", "rs", "go",
    "java",
];
const ARCHIVES: &[&str] = &["zip", "tar", "gz", "tgz", "bz2", "xz", "7z", "rar", "zst", "nemo", "mar", "whl", "egg"];
const WEIGHTS: &[&str] = &[
    "bin", "pt", "pth", "pkl", "pickle", "ckpt", "joblib", "npy", "npz", "h5", "hdf5", "keras", "pb", "onnx",
    "msgpack", "gguf", "ggml", "tflite", "mlmodel", "dill", "pdparams", "ot", "params",
];

/// The ending of a name, in lower case.
pub(super) fn ending(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

impl Kind {
    /// By the first bytes (at least 300 where there are so many) and the name.
    pub fn of(path: &str, head: &[u8]) -> Self {
        let ending = ending(path);
        if let Some(kind) = by_magic(head) {
            return kind;
        }
        match ending.as_str() {
            "safetensors" => Self::Safetensors,
            "jinja" | "jinja2" | "j2" => Self::Template,
            "json" => Self::Json,
            _ if CODE.contains(&ending.as_str()) => Self::Code,
            _ if ARCHIVES.contains(&ending.as_str()) => Self::Archive,
            // Old pickles have no mark: protocol 0 and 1 begin with any opcode.
            "pkl" | "pickle" => Self::Pickle,
            _ if WEIGHTS.contains(&ending.as_str()) => Self::Weights,
            _ if head.starts_with(b"#!") => Self::Code,
            _ if looks_safetensors(head) => Self::Safetensors,
            _ => Self::Other,
        }
    }

    /// Whether the name says that weights of another format lie there.
    pub(super) fn named_weights(path: &str) -> bool {
        WEIGHTS.contains(&ending(path).as_str())
    }

    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Pickle => "pickle",
            Self::Zip => "zip archive",
            Self::Archive => "archive",
            Self::Executable => "executable",
            Self::Code => "code",
            Self::Weights => "weights",
            Self::Json => "json",
            Self::Template => "chat template",
            Self::Other => "other",
        }
    }
}

fn by_magic(head: &[u8]) -> Option<Kind> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") || starts(b"PK\x07\x08") {
        return Some(Kind::Zip);
    }
    if is_pickle(head) {
        return Some(Kind::Pickle);
    }
    let archive = [
        b"\x1f\x8b".as_slice(),
        b"BZh",
        b"\xfd7zXZ\x00",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
    ];
    if archive.iter().any(|magic| starts(magic)) || head.get(257..262) == Some(b"ustar") {
        return Some(Kind::Archive);
    }
    let program = [
        b"\x7fELF".as_slice(),
        b"\xcf\xfa\xed\xfe",
        b"\xce\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\x00asm",
    ];
    let windows = starts(b"MZ") && head.len() >= 64 && head[2..64].contains(&0);
    if windows || program.iter().any(|magic| starts(magic)) {
        return Some(Kind::Executable);
    }
    let weights = [b"\x93NUMPY".as_slice(), b"\x89HDF\r\n\x1a\n", b"GGUF", b"ggjt", b"lmgg"];
    weights.iter().any(|magic| starts(magic)).then_some(Kind::Weights)
}

/// A pickle of protocol 2 or later: the mark, the protocol, and an opcode that can follow.
pub(super) fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, next, ..] if super::opcodes::name(*next).is_some())
}

/// Eight bytes of length, then an object.
fn looks_safetensors(head: &[u8]) -> bool {
    let Some(length) = head.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)) else { return false };
    length > 1 && length <= super::header::MAX_HEADER && head.get(8) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_decide_and_names_accuse() {
        let elf = [b"\x7fELF".as_slice(), &[0; 60]].concat();
        for (path, head, kind) in [
            ("model.safetensors", b"\x10\0\0\0\0\0\0\0{}".as_slice(), Kind::Safetensors),
            ("model.safetensors", b"PK\x03\x04", Kind::Zip),
            ("model.safetensors", b"\x80\x04\x95", Kind::Pickle),
            ("weights.dat", b"\x80\x02}q", Kind::Pickle),
            ("x.txt", b"\x80\x02\xff", Kind::Other),
            ("readme.md", &elf, Kind::Executable),
            ("a/b/modeling.py", b"import os", Kind::Code),
            ("run", b"#!/bin/sh", Kind::Code),
            ("pytorch_model.bin", b"????", Kind::Weights),
            ("config.json", b"{", Kind::Json),
            ("chat_template.jinja", b"{%", Kind::Template),
            ("old.pkl", b"(dp0", Kind::Pickle),
            ("tensors", b"\x02\0\0\0\0\0\0\0{}", Kind::Safetensors),
            ("LICENSE", b"Apache", Kind::Other),
            ("m.tar", &[&[0; 257], b"ustar".as_slice()].concat(), Kind::Archive),
        ] {
            assert_eq!(Kind::of(path, head), kind, "{path}");
        }
    }
}
